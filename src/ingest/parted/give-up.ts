/** Giving up an open batch in parts: its attempt is dead at once, then what it loaded and the batch itself are removed. */
import { settled } from '../../database/settle.js';
import { collectAttempt } from '../collect.js';
import { lockBatches } from '../sql.js';
import type { UploadContext } from '../upload/context.js';
import { deleteUnfinishedBatch, limitLockWaits, markAttemptDead } from '../upload/sql.js';
import { takingParts } from './context.js';
import { partedInside } from './sql.js';

/** Throws `batch_state` or `batch_unknown` where it no longer takes parts. What this cannot remove, the collector does. */
export async function giveUpParted(context: UploadContext, batch: string): Promise<void> {
  const { database, limits, emit, reach } = context;
  const attempt = await settled(
    database,
    async (client) => {
      await limitLockWaits(client);
      await lockBatches(client, [batch]);
      const now = await partedInside(client, batch);
      // Given up before, or expired; its removal was cut off.
      if (now?.state === 'loading' && now.in_parts && now.attempt === null) return undefined;
      const attempt = takingParts(batch, now);
      await reach?.('abandoning');
      await markAttemptDead(client, attempt);
      return attempt;
    },
    limits.patience,
  );
  if (attempt !== undefined) {
    emit({ kind: 'batch-abandoned', batch, reason: 'given up by its sender' });
    await collectAttempt(database, { batch, attempt }, emit, reach);
  }
  await database.transaction(async (client) => {
    await lockBatches(client, [batch]);
    await deleteUnfinishedBatch(client, batch, true);
  });
}
