/** The roller: rolls up in the background when somebody noticed that the rollups are behind. One at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { rollUp } from './roll-up.js';

const retryMilliseconds = 1_000;

export class Roller {
  readonly #database: Database;
  readonly #emit: Emit;
  #wanted = false;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(database: Database, emit: Emit) {
    this.#database = database;
    this.#emit = emit;
  }

  /** The rollups are behind: to be called as often as anybody likes. */
  kick(): void {
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Resolves once nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stopping.signal.aborted) {
      this.#wanted = false;
      try {
        await rollUp(this.#database, this.#emit);
      } catch (error) {
        this.#emit({ kind: 'roll-up-failed', error });
        this.#wanted = true;
        await delay(retryMilliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }
}
