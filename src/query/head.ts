/**
 * The newest revision, as this process knows it: every answer from the database tells it, and where none came for
 * 100 ms it is asked for, once for all who want to know. So an idle service asks nothing.
 */
import type { Database, ReadOptions } from '../database/database.js';
import { headOf, type HeadRow } from './sql.js';

/** How long ago the newest revision may have been read: an answer from memory is at most so old. */
const freshMilliseconds = 100;

export class Head {
  readonly #database: Database;
  #revision = 0;
  /** When the read began that told it. */
  #readAt = -Infinity;
  #asking: Promise<number> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The newest revision; undefined where it was last read too long ago. */
  get fresh(): number | undefined {
    return performance.now() - this.#readAt < freshMilliseconds ? this.#revision : undefined;
  }

  /** A statement that began at `readAt` (clock of `performance.now()`) saw this revision. */
  learn(revision: number, readAt: number): void {
    if (revision < this.#revision) return;
    this.#readAt = revision === this.#revision ? Math.max(this.#readAt, readAt) : readAt;
    this.#revision = revision;
  }

  async current(options: ReadOptions): Promise<number> {
    return this.fresh ?? this.#shared(options);
  }

  /** Asks the database, however lately it was asked. */
  async ask(options: ReadOptions): Promise<number> {
    const begun = performance.now();
    this.learn(await newestRevision(this.#database, options), begun);
    return this.#revision;
  }

  #shared(options: ReadOptions): Promise<number> {
    this.#asking ??= this.ask(options).finally(() => (this.#asking = undefined));
    return this.#asking;
  }
}

/** The newest revision, asked of the database. */
export async function newestRevision(database: Database, options: ReadOptions = {}): Promise<number> {
  const [row] = await database.read<HeadRow>(headOf, options);
  return Number(row?.revision ?? 0);
}
