/**
 * Collecting: attempts whose lease is over are marked dead under their batch's lock, then what they loaded is removed
 * in small steps. In goes a database, out comes how much was removed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { purge, type Retention } from './retention/purge.js';
import type { Reach } from './stages.js';
import {
  collectable,
  deleteSegments,
  deleteUnfinishedBatch,
  leftBehind,
  lockIdleBatch,
  markCollected,
  markExpiredDead,
  releaseCollectLock,
  tryCollectLock,
} from './upload/sql.js';

/** Segments removed in one transaction: some milliseconds of work. */
const segmentsPerStep = 2_000;
const collectMilliseconds = 60_000;

interface Attempt {
  batch: string;
  attempt: string;
}

interface Unfinished {
  batch: string;
  in_parts: boolean;
}

type Collectable = Attempt & Unfinished;

/** Collects what there is, unless another process is at it. Returns the number of attempts collected. */
export async function collect(database: Database, emit: Emit, reach?: Reach): Promise<number> {
  return database.withClient(async (client) => {
    if (!(await tryCollectLock(client))) return 0;
    try {
      const { rows } = await client.query<Collectable>(collectable);
      let collected = 0;
      for (const row of rows) if (await collectExpired(database, row, emit, reach)) collected++;
      for (const row of (await client.query<Unfinished>(leftBehind)).rows)
        await removeUnfinished(database, row);
      return collected;
    } finally {
      await releaseCollectLock(client).catch(() => undefined);
    }
  });
}

/** False where its loader turned out to be alive, or somebody holds the batch just now: the next round will see. */
async function collectExpired(
  database: Database,
  row: Collectable,
  emit: Emit,
  reach: Reach | undefined,
): Promise<boolean> {
  const dead = await database.transaction(
    async (client) =>
      (await lockIdleBatch(client, row.batch)) !== undefined && markExpiredDead(client, row.attempt),
  );
  if (!dead) return false;
  await reach?.('marked dead');
  await collectAttempt(database, row, emit, reach);
  await removeUnfinished(database, row);
  return true;
}

/** Whoever repeats the key of an upload goes on with its batch; one in parts has expired, and its key with it. */
const removeUnfinished = (database: Database, { batch, in_parts: inParts }: Unfinished): Promise<void> =>
  database.transaction(async (client) => {
    if (await lockIdleBatch(client, batch)) await deleteUnfinishedBatch(client, batch, inParts);
  });

/** Removes what a dead attempt loaded. */
export async function collectAttempt(
  database: Database,
  { batch, attempt }: Attempt,
  emit: Emit,
  reach?: Reach,
): Promise<void> {
  let segments = 0;
  for (let removed = segmentsPerStep; removed === segmentsPerStep; segments += removed) {
    removed = await database.withClient((client) => deleteSegments(client, attempt, segmentsPerStep));
    await reach?.('segments removed');
  }
  await database.transaction((client) => markCollected(client, attempt));
  await reach?.('collected');
  emit({ kind: 'attempt-collected', batch, attempt, segments });
}

/** Collects and purges, now and every minute. Returns how to stop, which waits for a round that is under way. */
export function collectRegularly(database: Database, retention: Retention, emit: Emit): () => Promise<void> {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await collect(database, emit).catch((error: unknown) => emit({ kind: 'collect-failed', error }));
      await purge(database, retention, emit, stopping.signal).catch((error: unknown) =>
        emit({ kind: 'purge-failed', error }),
      );
      await delay(collectMilliseconds, undefined, { signal: stopping.signal, ref: false }).catch(
        () => undefined,
      );
    }
  };
  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
