/**
 * The debt of the rollups: what was published or withdrawn after the revision that they stand for, whichever process
 * did it. Every question pays for it, a lookup for each batch, so whoever publishes is held up before readers are.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, ReadOptions } from '../../database/database.js';
import { FairwayError } from '../../errors.js';
import { rollupDebt, type DebtRow } from './sql.js';

export interface Debt {
  /** The newest revision, and how many the rollups are behind it. */
  revision: number;
  revisions: number;
  batches: number;
  items: number;
}

export interface RollupDebtOptions {
  /** Asks the database; rejects where it does not answer. */
  measure: () => Promise<Debt>;
  /** Batches from which on no more are admitted; 0 admits all. What is admitted at a time, or within `keptMilliseconds`, may come on top. */
  bound: number;
  /** How long a load waits for the rollups. */
  waitMilliseconds: number;
  /** What was measured counts for so long, for all loads together; 100 where not given. */
  keptMilliseconds?: number;
  /** Called where they are that far behind. */
  onBehind: () => void;
}

const pollMilliseconds = 100;
const retrySeconds = 2;

export class RollupDebt {
  readonly #options: RollupDebtOptions;
  #debt: Promise<Debt> | undefined;
  #measuredAt = -Infinity;
  #told: Debt | undefined;

  constructor(options: RollupDebtOptions) {
    this.#options = options;
  }

  /** As it was at most `keptMilliseconds` ago. Rejects where the database does not answer. */
  now(): Promise<Debt> {
    const { measure, keptMilliseconds = pollMilliseconds } = this.#options;
    const now = performance.now();
    if (this.#debt === undefined || now - this.#measuredAt >= keptMilliseconds) {
      this.#measuredAt = now;
      this.#debt = measure();
    }
    return this.#debt;
  }

  /** Resolves once one more batch may be published. Throws `rollups_behind` where that takes too long. */
  async admit(): Promise<void> {
    const { bound, waitMilliseconds, onBehind } = this.#options;
    if (bound === 0) return;
    const end = performance.now() + waitMilliseconds;
    for (;;) {
      const debt = await this.now();
      if (debt.batches < bound) return;
      // Once for all who wait: each call lets the roller look.
      if (debt !== this.#told) onBehind();
      this.#told = debt;
      if (performance.now() >= end) throw tooFarBehind(debt, bound);
      await delay(pollMilliseconds);
    }
  }
}

export async function readDebt(database: Database, options: ReadOptions = {}): Promise<Debt> {
  const [row] = await database.read<DebtRow>(rollupDebt, options);
  const revision = Number(row?.newest ?? 0);
  return {
    revision,
    revisions: revision - Number(row?.rolled ?? 0),
    batches: Number(row?.batches ?? 0),
    items: Number(row?.items ?? 0),
  };
}

function tooFarBehind({ revision, revisions, batches, items }: Debt, bound: number): FairwayError {
  const rolled = revision - revisions;
  return new FairwayError(
    'rollups_behind',
    `the rollups, which questions are answered from, stand for revision ${rolled} of ${revision}; batches that wait to be rolled up: ${batches}, with ${items} items. With ${bound} or more (FAIRWAY_ROLLUP_DEBT) none is published; nothing has changed, try again in a moment`,
    {
      retryAfter: retrySeconds,
      details: { debt_batches: batches, debt_items: items, rolled_revision: rolled },
    },
  );
}
