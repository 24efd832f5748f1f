/** Opening: in goes an upload, out comes a claim to load it, or the batch that its key belongs to already. */
import type { ClientBase } from 'pg';
import { FairwayError } from '../../errors.js';
import { readBatch } from '../batches/read.js';
import { checkReplaceable } from '../publish.js';
import { takenOver, type Claim, type Upload, type UploadContext } from './context.js';
import {
  batchNow,
  batchOfKey,
  insertAttempt,
  insertBatch,
  limitLockWaits,
  lockBatchOfKey,
  markAttemptsDead,
  type KnownBatch,
} from './sql.js';

/** A claim, or the id of a batch that has its verdict or is being loaded by somebody else. */
export type Opened = { claim: Claim } | { known: string };

/** Said before anything is read; what counts is what publishing finds. Throws `batch_unknown` or `batch_state`. */
export async function checkReplaces(
  { database }: UploadContext,
  { replaces, caller }: Pick<Upload, 'replaces' | 'caller'>,
  claim?: Claim,
): Promise<void> {
  if (replaces === null) return;
  const { state, replacedBy } = await readBatch(database, replaces, caller);
  // Whoever took over has replaced it with this very batch.
  if (claim && replacedBy === claim.batch) throw takenOver();
  checkReplaceable(replaces, state);
}

/** Whether there is nothing to load under this key: it has its verdict, or somebody is at it. Throws `key_conflict` where it is a batch in parts. */
function isTaken({ id, state, running, in_parts: inParts }: KnownBatch): boolean {
  if (inParts) throw keyOfParts(id);
  return state === 'published' || state === 'withdrawn' || running !== null;
}

/** A look without a lock, so that a repeat needs no slot. */
export async function takenBatch(context: UploadContext, upload: Upload): Promise<string | undefined> {
  if (upload.key === null) return undefined;
  const [known] = await context.database.read<KnownBatch>(batchOfKey(upload.caller.key, upload.key));
  return known && isTaken(known) ? known.id : undefined;
}

/** Claims the key, if there is one: one loader at a time, a new one where the lease of the last is over. */
export const openUpload = (context: UploadContext, upload: Upload): Promise<Opened> =>
  context.database.transaction((client) => openInside(client, context, upload), {
    deadline: performance.now() + context.limits.patience.tryMilliseconds,
  });

async function openInside(client: ClientBase, { limits }: UploadContext, upload: Upload): Promise<Opened> {
  const { key, format, caller } = upload;
  await limitLockWaits(client);
  const made = await insertBatch(client, { owner: caller.key, key, format });
  if (made) {
    const attempt = await insertAttempt(client, made.id, limits.leaseMilliseconds);
    return { claim: { batch: made.id, attempt, rejected: null, final: true } };
  }
  const locked = await lockBatchOfKey(client, caller.key, key ?? '');
  if (!locked) throw gone();
  const { rows } = await client.query<KnownBatch>(batchNow(locked.id));
  const [known] = rows;
  if (!known) throw gone();
  if (isTaken(known)) return { known: known.id };
  await markAttemptsDead(client, known.id);
  const attempt = await insertAttempt(client, known.id, limits.leaseMilliseconds);
  const { id: batch, content_sha256: rejected, count_differs } = known;
  return { claim: { batch, attempt, rejected, final: !count_differs } };
}

export const gone = (): FairwayError =>
  new FairwayError('in_progress', 'the first try of this key was given up just now; send it again', {
    retryAfter: 1,
  });

const keyOfParts = (batch: string): FairwayError =>
  new FairwayError(
    'key_conflict',
    `this Idempotency-Key belongs to batch ${batch}, which comes in parts; take a new key`,
    { details: { batch } },
  );
