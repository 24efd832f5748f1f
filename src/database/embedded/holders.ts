/**
 * Who uses the server of a data folder: a file per process in `holders/`, and a lock under which a server is started
 * or stopped. Both name processes, so what a killed process left behind is recognised.
 */
import {
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf, FairwayError } from '../../errors.js';
import { isAlive, startTime, waitFor } from './processes.js';

const lockMilliseconds = 120_000;

/** Runs `work` while no other process does so for this data folder. */
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
  try {
    const file = openSync(path, 'wx');
    writeSync(file, identity());
    closeSync(file);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const owner = readIfThere(path);
  // An empty file is one that is being written just now.
  if (owner !== '' && !lives(owner)) rmSync(path, { force: true });
  return false;
}

function lives(text: string): boolean {
  const [pid = '', started = ''] = text.split(' ');
  return isAlive(Number(pid)) && (started === '' || startTime(Number(pid)) === started);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

let holdings = 0;

/** Registers this process (each use of it) as a user of the server. */
export function hold(dataDir: string): { release(): void; otherHolders(): boolean } {
  const folder = join(dataDir, 'holders');
  mkdirSync(folder, { recursive: true });
  const own = `${process.pid}-${++holdings}`;
  writeFileSync(join(folder, own), identity());
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
