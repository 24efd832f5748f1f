/** Withdrawing: published batches leave the answers at a revision; their items stay for questions about the past. */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import { settled, type Patience } from '../database/settle.js';
import { FairwayError } from '../errors.js';
import type { Emit } from '../events.js';
import { lockBatches, publishRevision, withdrawAt } from './sql.js';
import { limitLockWaits } from './upload/sql.js';

/** Withdraws batches in a revision, that of the batch that replaces them or its own. Throws where one of them is not published. */
export async function withdrawReplaced(
  client: ClientBase,
  batches: string[],
  revision: string,
  replacedBy: string | null,
): Promise<void> {
  if (batches.length === 0) return;
  const changed = await withdrawAt(client, batches, revision, replacedBy);
  if (changed !== batches.length)
    throw new Error(`withdrawing ${batches.length} batches changed ${changed} rows`);
}

/** Withdraws a batch in a revision of its own; one that is withdrawn stays as it is. Throws `batch_state` where it was never published. */
export async function withdraw(
  database: Database,
  batch: string,
  emit: Emit,
  patience?: Patience,
): Promise<void> {
  const revision = await settled(
    database,
    async (client) => {
      await limitLockWaits(client);
      const state = (await lockBatches(client, [batch])).get(batch)?.state;
      if (state === 'withdrawn') return undefined;
      if (state !== 'published') throw notWithdrawable(batch, state);
      const revision = await publishRevision(client, `withdrawal of batch ${batch}`);
      await withdrawReplaced(client, [batch], revision, null);
      return revision;
    },
    patience,
  );
  if (revision !== undefined) emit({ kind: 'batch-withdrawn', batch, revision: Number(revision) });
}

const notWithdrawable = (batch: string, state: string | undefined): FairwayError =>
  state === undefined
    ? new FairwayError('batch_unknown', `there is no batch ${batch}, or it is not yours`)
    : new FairwayError(
        'batch_state',
        state === 'loading'
          ? `batch ${batch} is still being loaded; wait for its verdict`
          : `batch ${batch} was rejected; there is nothing to withdraw`,
      );
