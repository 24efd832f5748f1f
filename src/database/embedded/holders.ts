/**
 * Who uses the server of a data folder: a file per use in `holders/`, and a lock under which a server is started or
 * stopped. Both name processes, so what a killed process left behind is recognised.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, FairwayError } from '../../errors.js';
import { isAlive, startTime, waitFor } from './processes.js';

// Longer than any start that goes well: a crash recovery may take minutes, and the lock is held meanwhile.
const lockMilliseconds = 600_000;

/** Runs `work` while no other does so for this data folder. Throws `data_folder` where the lock cannot be had. */
export async function underLock<Result>(dataDir: string, work: () => Promise<Result>): Promise<Result> {
  const path = join(dataDir, 'lock');
  if (!(await waitFor(() => takeLock(path), lockMilliseconds))) {
    throw new FairwayError(
      'data_folder',
      `${path} is held by process ${readIfThere(path).split(' ')[0]}, which starts or stops the database; end it and try again`,
    );
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

const identity = (): string => `${process.pid} ${startTime(process.pid)}`;

function takeLock(path: string): boolean {
  if (createWhole(path)) return true;
  if (lives(readIfThere(path))) return false;
  // Left by a process that is gone. Were two to remove it, the later one could remove the lock the earlier one has
  // taken since; so removing is itself done by one at a time, who looks again.
  const removing = `${path}.removing`;
  if (createWhole(removing)) {
    if (!lives(readIfThere(path))) rmSync(path, { force: true });
    rmSync(removing, { force: true });
  } else if (!lives(readIfThere(removing))) {
    rmSync(removing, { force: true });
  }
  return false;
}

let attempts = 0;

/** Makes the file with our identity in it; never half written, as a file that is opened first would be for a moment. */
function createWhole(path: string): boolean {
  const written = `${path}.${process.pid}-${++attempts}`;
  try {
    writeFileSync(written, identity());
    linkSync(written, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(written, { force: true });
  }
}

/** A file that is gone names nobody, and is not to be removed; an empty one was left by a disk that was full. */
function lives(text: string): boolean {
  const [pid = '', started = ''] = text.split(' ');
  return isAlive(Number(pid) || -1) && (started === '' || startTime(Number(pid)) === started);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

let holdings = 0;

export interface Holding {
  release(): void;
  /** Whether another live process, or another use of this one, holds the server; forgets those that are gone. */
  otherHolders(): boolean;
}

/** Registers this process (each use of it) as a user of the server. */
export function hold(dataDir: string): Holding {
  const folder = join(dataDir, 'holders');
  mkdirSync(folder, { recursive: true });
  const own = `${process.pid}-${++holdings}`;
  // Whole at once: a file seen empty would be taken for one that is left over.
  writeFileSync(join(dataDir, `.holder-${own}`), identity());
  renameSync(join(dataDir, `.holder-${own}`), join(folder, own));
  return {
    release: () => rmSync(join(folder, own), { force: true }),
    otherHolders: () => {
      const others = readdirSync(folder).filter((name) => name !== own);
      const gone = others.filter((name) => !lives(readIfThere(join(folder, name))));
      for (const name of gone) rmSync(join(folder, name), { force: true });
      return others.length > gone.length;
    },
  };
}
