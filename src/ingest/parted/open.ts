/** Opening a batch in parts: in goes what is known of it, out comes its number, also for a repeat of its key. */
import type { ClientBase } from 'pg';
import { FairwayError } from '../../errors.js';
import type { UploadContext } from '../upload/context.js';
import { checkReplaces, gone } from '../upload/open.js';
import {
  batchNow,
  batchOfKey,
  insertAttempt,
  insertBatch,
  limitLockWaits,
  lockBatchOfKey,
  renewLease,
  type KnownBatch,
} from '../upload/sql.js';
import type { Opening } from './context.js';
import { partedInside } from './sql.js';

export interface Opened {
  batch: string;
  /** Whether an earlier request had opened it. */
  repeated: boolean;
}

/** Throws `key_conflict`, and as `checkReplaces` does. */
export async function openParted(context: UploadContext, opening: Opening): Promise<Opened> {
  const { caller, key } = opening;
  const isKnown = async (): Promise<boolean> =>
    key !== null && (await context.database.read<KnownBatch>(batchOfKey(caller.key, key))).length > 0;
  if (!(await isKnown())) {
    await context.disk.check();
    await checkReplaces(context, opening).catch(async (error: unknown) => {
      // What a batch of this key has replaced is no longer published, and it may have done so just now.
      if (!(await isKnown())) throw error;
    });
  }
  return context.database.transaction((client) => openInside(client, context, opening), {
    deadline: performance.now() + context.limits.patience.tryMilliseconds,
  });
}

async function openInside(client: ClientBase, context: UploadContext, opening: Opening): Promise<Opened> {
  const { caller, key, format, replaces } = opening;
  const { unfinishedMilliseconds } = context.limits;
  await limitLockWaits(client);
  const made = await insertBatch(client, { owner: caller.key, key, format, replaces, inParts: true });
  if (made) {
    await insertAttempt(client, made.id, unfinishedMilliseconds);
    return { batch: made.id, repeated: false };
  }
  const locked = await lockBatchOfKey(client, caller.key, key ?? '');
  if (!locked) throw gone();
  const { rows } = await client.query<KnownBatch>(batchNow(locked.id));
  const [known] = rows;
  if (!known) throw gone();
  if (!known.in_parts || known.replaces !== replaces) throw keyConflict(known);
  if (known.state === 'loading') {
    const attempt = (await partedInside(client, known.id))?.attempt;
    // Where it has expired and is not yet removed, it begins anew.
    if (attempt) await renewLease(client, attempt, unfinishedMilliseconds);
    else await insertAttempt(client, known.id, unfinishedMilliseconds);
  }
  return { batch: known.id, repeated: true };
}

const keyConflict = ({ id, in_parts: inParts }: KnownBatch): FairwayError =>
  new FairwayError(
    'key_conflict',
    inParts
      ? `this Idempotency-Key belongs to batch ${id}, which was not opened to replace the same batch; take a new key`
      : `this Idempotency-Key belongs to batch ${id}, which was sent in one request; take a new key`,
    { details: { batch: id } },
  );
