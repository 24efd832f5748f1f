/**
 * The roller: rolls up in the background when somebody noticed that the rollups are behind, be it by asking now and then,
 * for other processes publish, too. One at a time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import type { Pace } from '../pace.js';
import { rollUp } from './roll-up.js';
import { rollupRevisionsNow, type RollupRevisions } from './rollup/sql.js';

const retryMilliseconds = 1_000;
const watchMilliseconds = 1_000;
const answerMilliseconds = 3_000;

export class Roller {
  readonly #database: Database;
  readonly #emit: Emit;
  readonly #pace: Pace | undefined;
  #wanted = false;
  #running: Promise<void> | undefined;
  #watching: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  /** `pace`: shared with loads, which make the work. */
  constructor(database: Database, emit: Emit, pace?: Pace) {
    this.#database = database;
    this.#emit = emit;
    this.#pace = pace;
  }

  /** The rollups are behind: to be called as often as anybody likes. */
  kick(): void {
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** From now on asks every second whether the rollups are behind. */
  watch(): void {
    this.#watching ??= this.#watch();
  }

  /** Resolves once nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#watching, this.#running]);
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // That the database is away is said by the database itself.
      if (await this.#isBehind().catch(() => false)) this.kick();
      await this.#pause(watchMilliseconds);
    }
  }

  async #isBehind(): Promise<boolean> {
    const deadline = performance.now() + answerMilliseconds;
    const [row] = await this.#database.read<RollupRevisions>(rollupRevisionsNow, { deadline });
    return row !== undefined && row.rolled !== row.newest;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stopping.signal.aborted) {
      this.#wanted = false;
      try {
        await rollUp(this.#database, this.#emit, this.#pace);
      } catch (error) {
        this.#emit({ kind: 'roll-up-failed', error });
        this.#wanted = true;
        await this.#pause(retryMilliseconds);
      }
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stopping;
    await delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
