/**
 * Purging: what was withdrawn or rejected long ago is removed in small steps. In goes how long it is kept, out comes
 * what was removed. Nothing that is visible now, or that the rollups still need, is touched.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import type { Database } from '../../database/database.js';
import type { Emit } from '../../events.js';
import { deleteUnfinishedBatch, lockIdleBatch } from '../upload/sql.js';
import {
  markPurged,
  moveHorizon,
  partsLeft,
  rejectedLongAgo,
  releasePurgeLock,
  removeAttempts,
  removeFaults,
  removePart,
  removeSegments,
  tryPurgeLock,
  withdrawnLongAgo,
  type WithdrawnBatch,
} from './sql.js';

export interface Retention {
  /** How long the items of withdrawn batches are kept for questions about the past. */
  historyDays: number;
  /** How long the faults of rejected batches, and traces of failed tries, are kept. */
  rejectedDays: number;
}

/** Rows removed in one transaction: some milliseconds of work. */
const rowsPerStep = 2_000;

interface Work {
  client: ClientBase;
  database: Database;
  retention: Retention;
  emit: Emit;
  signal: AbortSignal | undefined;
}

/** Purges what there is to purge, unless another process is at it. Stops between two steps where the signal says so. */
export async function purge(
  database: Database,
  retention: Retention,
  emit: Emit,
  signal?: AbortSignal,
): Promise<void> {
  await database.withClient(async (client) => {
    if (!(await tryPurgeLock(client))) return;
    try {
      const work = { client, database, retention, emit, signal };
      await purgeWithdrawn(work);
      await purgeFaults(work);
      await purgeAttempts(work);
    } finally {
      await releasePurgeLock(client).catch(() => undefined);
    }
  });
}

const stopped = ({ signal }: Work): boolean => signal?.aborted === true;

/** As long as the step took, so that at most half of a core goes into purging and readers get their turn. */
async function stepped<Result>({ signal }: Work, step: () => Promise<Result>): Promise<Result> {
  const begun = performance.now();
  const result = await step();
  await delay(performance.now() - begun, undefined, signal ? { signal } : {}).catch(() => undefined);
  return result;
}

/** Works off what `find` finds until it finds nothing, or nothing of it could be done. */
async function workOff<Found>(
  work: Work,
  find: () => Promise<Found[]>,
  each: (found: Found) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    let done = 0;
    for (const found of await find()) {
      if (stopped(work)) return;
      if (await each(found)) done++;
    }
    if (done === 0) return;
  }
}

const purgeWithdrawn = (work: Work): Promise<void> =>
  workOff(
    work,
    () => withdrawnLongAgo(work.client, work.retention.historyDays),
    (batch) => purgeBatch(work, batch),
  );

/** False where it was stopped before the end. */
async function purgeBatch(work: Work, batch: WithdrawnBatch): Promise<boolean> {
  const { client, emit } = work;
  // Committed by itself, and first: whoever asks about an older revision is refused before the first item is missing.
  await moveHorizon(client, batch.revision);
  for (const part of await partsLeft(client, batch.attempt)) {
    for (let removed = rowsPerStep; removed === rowsPerStep;) {
      if (stopped(work)) return false;
      const gone = await stepped(work, () => removeSegments(client, batch.attempt, part, rowsPerStep));
      removed = gone.segments;
      emit({ kind: 'segments-purged', batch: batch.batch, ...gone });
    }
    await removePart(client, batch.attempt, part);
  }
  if (!(await markPurged(client, batch))) return false;
  emit({ kind: 'batch-purged', batch: batch.batch, historyFrom: Number(batch.revision) });
  return true;
}

const purgeFaults = (work: Work): Promise<void> =>
  workOff(
    work,
    () => rejectedLongAgo(work.client, work.retention.rejectedDays),
    async (batch) => {
      const faults = await stepped(work, () => removeFaults(work.client, batch, work.retention.rejectedDays));
      if (faults === undefined) return false;
      work.emit({ kind: 'faults-purged', batch, faults });
      return true;
    },
  );

/** Rows of tries that ended without effect; with the last one a batch that never came to a verdict goes as well. */
async function purgeAttempts(work: Work): Promise<void> {
  const { client, database, retention, emit } = work;
  for (let removed = rowsPerStep; removed === rowsPerStep && !stopped(work);) {
    const batches = await stepped(work, () => removeAttempts(client, retention.rejectedDays, rowsPerStep));
    removed = batches.length;
    if (removed === 0) return;
    for (const batch of new Set(batches)) {
      await database.transaction(async (other) => {
        if (await lockIdleBatch(other, batch)) await deleteUnfinishedBatch(other, batch, true);
      });
    }
    emit({ kind: 'attempts-purged', attempts: removed });
  }
}
