/**
 * What is remembered of an upload in parts until its verdict is known: under which key it went to whom, in a file beside
 * the one that is sent. Which parts arrived is not in it: the service knows that, and better.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { codeOf } from '../../../errors.js';
import type { Source } from '../source.js';

export interface Remembered {
  key: string;
  /** Its number, once it is open. */
  batch?: string;
  url: string;
  replaces?: string;
  /** What the file was. */
  file: { size: number; changed: string; head: string };
}

const suffix = '.fairway.json';

/** What the file is, to recognise it again. */
export const fingerprint = ({ size, changed, head }: Source): Remembered['file'] => ({
  size,
  changed: String(changed),
  head: createHash('sha256').update(head).digest('hex'),
});

export class Memory {
  readonly #beside: string;
  /** Where the folder of the file cannot be written. */
  readonly #elsewhere: string;
  readonly #say: (words: string) => void;
  #path: string | undefined;

  /** `say` is told where it is not beside the file. */
  constructor(path: string, say: (words: string) => void) {
    this.#beside = resolve(path) + suffix;
    const name = createHash('sha256').update(this.#beside).digest('hex').slice(0, 32);
    this.#elsewhere = join(tmpdir(), `fairway-submit-${process.getuid?.() ?? 'mine'}`, name + suffix);
    this.#say = say;
  }

  async read(): Promise<Remembered | undefined> {
    for (const path of [this.#beside, this.#elsewhere]) {
      if (path === this.#elsewhere && !(await isPrivate(dirname(path)))) return undefined;
      const found = parsed(await readFile(path, 'utf8').catch(() => ''));
      if (!found) continue;
      this.#path = path;
      return found;
    }
    return undefined;
  }

  /** Whole or not at all. Where it cannot be written anywhere that is said, once, and the upload goes on. */
  async write(remembered: Remembered): Promise<void> {
    const text = `${JSON.stringify(remembered, undefined, 2)}\n`;
    if (this.#path !== this.#elsewhere && (await writeWhole(this.#beside, text))) {
      this.#path = this.#beside;
      return;
    }
    const first = this.#path !== this.#elsewhere;
    this.#path = this.#elsewhere;
    await mkdir(dirname(this.#elsewhere), { mode: 0o700 }).catch(() => undefined);
    const written = (await isPrivate(dirname(this.#elsewhere))) && (await writeWhole(this.#elsewhere, text));
    if (!first) return;
    const what = `${this.#beside} cannot be written`;
    if (written) this.#say(`${what}; what resumes this upload is in ${this.#elsewhere}`);
    else this.#say(`${what}; only --key ${remembered.key} resumes this upload`);
  }

  async forget(): Promise<void> {
    if (this.#path !== undefined) await rm(this.#path, { force: true }).catch(() => undefined);
  }
}

/** A folder that others may write could hold what another user put there. */
async function isPrivate(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  const ours = process.getuid === undefined || stats?.uid === process.getuid();
  return stats?.isDirectory() === true && ours && (stats.mode & 0o077) === 0;
}

/** False where the folder does not allow it. */
async function writeWhole(path: string, text: string): Promise<boolean> {
  const fresh = `${path}.new`;
  try {
    // What an earlier run left there is of no use.
    await rm(fresh, { force: true });
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
    return true;
  } catch (error) {
    // Whatever the system has against it.
    if (codeOf(error) !== undefined) return false;
    throw error;
  }
}

function parsed(text: string): Remembered | undefined {
  try {
    const found = JSON.parse(text) as Partial<Remembered> | null;
    return typeof found?.key === 'string' && typeof found.url === 'string' && found.file
      ? (found as Remembered)
      : undefined;
  } catch {
    return undefined;
  }
}
