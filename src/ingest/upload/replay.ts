/**
 * A repeat of a key whose batch has its verdict or is being loaded elsewhere: in goes the body, which is hashed and
 * nothing else, out comes the batch it belongs to.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayError } from '../../errors.js';
import { takenOver, type Upload, type UploadContext } from './context.js';
import { batchNow, type KnownBatch } from './sql.js';

const firstPause = 25;
const longestPause = 500;

/** Waits for the verdict at most `repeatMilliseconds`. Throws `in_progress` or `key_conflict`. */
export async function replay(
  { database, limits }: UploadContext,
  upload: Upload,
  batch: string,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const sha256 = await hashOf(body);
  const until = performance.now() + limits.repeatMilliseconds;
  for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
    const [known] = await database.read<KnownBatch>(batchNow(batch));
    if (!known) throw takenOver();
    const same = known.content_sha256?.equals(sha256) ?? false;
    if (known.state === 'published' || known.state === 'withdrawn') {
      if (same && known.replaces === upload.replaces) return;
      throw keyConflict(batch, same);
    }
    if (known.state === 'rejected' && same && !known.count_differs) return;
    if (known.running === null) throw notRunning();
    if (performance.now() > until) throw inProgress(batch);
    await delay(pause);
  }
}

async function hashOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest();
}

const keyConflict = (batch: string, same: boolean): FairwayError =>
  new FairwayError(
    'key_conflict',
    same
      ? `this Idempotency-Key belongs to batch ${batch}, which has the same content but did not replace the same batch; take a new key`
      : `this Idempotency-Key belongs to batch ${batch}, which has other content; take a new key`,
    { details: { batch } },
  );

const inProgress = (batch: string): FairwayError =>
  new FairwayError(
    'in_progress',
    `batch ${batch} with this Idempotency-Key is still being loaded; ask again`,
    {
      details: { batch },
      retryAfter: 5,
    },
  );

const notRunning = (): FairwayError =>
  new FairwayError(
    'in_progress',
    'the first try of this Idempotency-Key was cut off; send it again, and this content is loaded',
    { retryAfter: 1 },
  );
