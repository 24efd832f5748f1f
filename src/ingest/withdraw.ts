/** Withdrawing: published batches leave the answers at a revision; their items stay for questions about the past. */
import type { ClientBase } from 'pg';
import { withdrawAt } from './sql.js';

/** Withdraws batches in the revision of the batch that replaces them. Throws where one of them is not published. */
export async function withdrawReplaced(
  client: ClientBase,
  batches: string[],
  revision: string,
  replacedBy: string,
): Promise<void> {
  if (batches.length === 0) return;
  const changed = await withdrawAt(client, batches, revision, replacedBy);
  if (changed !== batches.length)
    throw new Error(`withdrawing ${batches.length} batches changed ${changed} rows`);
}
