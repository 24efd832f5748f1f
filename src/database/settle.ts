/**
 * Transactions whose outcome must be known: in goes work that finds out by itself, under a row lock, whether it has
 * happened already; it is repeated on fresh connections until the database says what is so.
 *
 * A look alone settles nothing: a backend that waits in COMMIT shows the old state, and later the new one. The lock
 * waits for that backend, or stands on a server where its transaction can no longer end otherwise.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { codeOf, FairwayError } from '../errors.js';
import type { Database } from './database.js';
import { isConnectionLoss, isOutcomeUnknown } from './failures.js';

export interface Patience {
  /** For one try, COMMIT included. Its connection is destroyed then, never cancelled. */
  tryMilliseconds: number;
  /** For all tries after the first one failed. */
  settleMilliseconds: number;
}

export const patience: Patience = { tryMilliseconds: 60_000, settleMilliseconds: 10_000 };

const firstPause = 50;
const longestPause = 1_000;

/**
 * Throws what `work` throws, with nothing done; `outcome_unknown` where a COMMIT may have gone through and the database
 * could not be asked in time.
 */
export async function settled<Result>(
  database: Database,
  work: (client: PoolClient) => Promise<Result>,
  { tryMilliseconds, settleMilliseconds }: Patience = patience,
): Promise<Result> {
  let unknown = false;
  let until = Infinity;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      const now = performance.now();
      const deadline = Math.min(now + tryMilliseconds, Math.max(until, now + longestPause));
      return await database.transaction(work, { deadline });
    } catch (error) {
      unknown ||= isOutcomeUnknown(error);
      // Whoever holds the lock may be the backend of the first try; elsewhere a time-out is final.
      if (!isConnectionLoss(error) && !isDeadlock(error) && !(unknown && isTimeout(error))) throw error;
      until = Math.min(until, performance.now() + settleMilliseconds);
      if (performance.now() + pause > until) throw unknown ? outcomeUnknown(error) : error;
    }
    await delay(pause);
  }
}

/** PostgreSQL chose this one of two that waited for each other. */
const isDeadlock = (error: unknown): boolean => codeOf(error) === '40P01';

const isTimeout = (error: unknown): boolean =>
  error instanceof FairwayError && (error.code === 'database_timeout' || error.code === 'overloaded');

const outcomeUnknown = (cause: unknown): FairwayError =>
  new FairwayError(
    'outcome_unknown',
    'the database was lost in the last moment, so whether this was done is not known; the same request with the same Idempotency-Key finds out and finishes it',
    { cause },
  );
