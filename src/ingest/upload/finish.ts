/**
 * The end of an upload: in goes what was read, the batch has its verdict or is given up. Each step looks under the
 * batch's lock whether it has happened already, so it may be repeated after a COMMIT whose outcome was not heard.
 */
import type { ClientBase } from 'pg';
import { settled } from '../../database/settle.js';
import { messageOf } from '../../errors.js';
import { collectAttempt } from '../collect.js';
import type { Fault, UploadResult } from '../parse/upload.js';
import { publish } from '../publish.js';
import { endLease, lockBatches } from '../sql.js';
import { takenOver, type Claim, type Upload, type UploadContext } from './context.js';
import { copyPart, type HeldPart } from './parts.js';
import {
  attemptNow,
  deleteFaults,
  deleteUnfinishedBatch,
  insertFaults,
  limitLockWaits,
  markAttemptDead,
  rejectBatch,
  type AttemptNow,
} from './sql.js';

/** Locks the batch, then asks what the attempt is: a statement after the lock, for its snapshot. Throws `in_progress` where another one took over. */
async function lockOurs(
  client: ClientBase,
  { batch, attempt }: Claim,
  others: readonly string[] = [],
): Promise<AttemptNow> {
  await limitLockWaits(client);
  await lockBatches(client, [batch, ...others]);
  const now = await attemptNow(client, attempt);
  if (!now) throw takenOver();
  return now;
}

/** Loads the last part and publishes, in one transaction. Throws `batch_state` where what it replaces is no longer published. */
export async function publishUpload(
  { database, limits, pace, reach }: UploadContext,
  { format, replaces }: Upload,
  claim: Claim,
  read: UploadResult,
  held: HeldPart | undefined,
): Promise<void> {
  await settled(
    database,
    async (client) => {
      const replaced = replaces === null ? [] : [replaces];
      const now = await lockOurs(client, claim, replaced);
      // Published by a try whose COMMIT was not heard; a write makes sure that it lasts before it is said.
      if (now.published === claim.attempt) {
        await endLease(client, claim.attempt);
        return;
      }
      if (now.state !== 'loading') throw takenOver();
      await reach?.('publishing');
      if (held) await copyPart(client, claim, held, pace);
      // Those of a content that was rejected under the same key.
      if (claim.rejected) await deleteFaults(client, claim.batch);
      await publish(client, {
        batch: claim.batch,
        attempt: claim.attempt,
        items: read.items,
        lanes: read.lanes,
        upload: { sha256: read.sha256, bytes: read.bytes, format, replaces },
        reason: replaces === null ? `batch ${claim.batch}` : `batch ${claim.batch} in place of ${replaces}`,
        replaces: replaced,
        reach,
      });
      await reach?.('before commit');
    },
    limits.patience,
  );
  await reach?.('after commit');
}

/** Faults that go into one statement. */
const faultsPerStatement = 5_000;

/** Stores the faults, then removes what was loaded before the first of them. */
export async function rejectUpload(
  context: UploadContext,
  { format }: Upload,
  claim: Claim,
  read: UploadResult,
): Promise<void> {
  const { batch, attempt } = claim;
  const { reach } = context;
  await settled(
    context.database,
    async (client) => {
      const now = await lockOurs(client, claim);
      if (
        now.batch_state === 'rejected' &&
        now.state !== 'loading' &&
        now.content_sha256?.equals(read.sha256)
      ) {
        await endLease(client, attempt);
        return;
      }
      if (now.state !== 'loading') throw takenOver();
      await reach?.('rejecting');
      await rejectBatch(client, batch, {
        ...read,
        format,
        errorTotal: read.faultTotal,
        errorCounts: read.faultCounts,
      });
      await deleteFaults(client, batch);
      for (let at = 0; at < read.faults.length; at += faultsPerStatement) {
        await insertFaults(client, batch, at, read.faults.slice(at, at + faultsPerStatement).map(storable));
      }
      await markAttemptDead(client, attempt);
      await reach?.('before commit');
    },
    context.limits.patience,
  );
  await reach?.('after commit');
  await collectAttempt(context.database, claim, context.emit, reach).catch(ignore);
}

/** PostgreSQL's text holds no NUL. */
const storable = ({ field, message, value, ...fault }: Fault): Fault => ({
  ...fault,
  field: field === null ? null : withoutNul(field),
  message: withoutNul(message),
  value: value === null ? null : withoutNul(value),
});
const withoutNul = (text: string): string => text.replaceAll('\0', '\u2400');

/**
 * Gives up: what was loaded is removed, and the batch with it where it never had a verdict. Whatever this cannot do
 * now, the collector does once the lease is over.
 */
export async function abandonUpload(context: UploadContext, claim: Claim, reason: unknown): Promise<void> {
  const { database, emit, reach } = context;
  emit({ kind: 'batch-abandoned', batch: claim.batch, reason: messageOf(reason) });
  try {
    await reach?.('abandoning');
    const published = await database.transaction(
      async (client) => {
        const now = await lockOurs(client, claim);
        if (now.published === claim.attempt) return true;
        await markAttemptDead(client, claim.attempt);
        return false;
      },
      { deadline: performance.now() + context.limits.patience.settleMilliseconds },
    );
    if (published) return;
    await collectAttempt(database, claim, emit, reach);
    await database.transaction(async (client) => {
      await lockBatches(client, [claim.batch]);
      await deleteUnfinishedBatch(client, claim.batch, true);
    });
  } catch {
    // The database is away, or another one took over.
  }
}

const ignore = (): void => undefined;
