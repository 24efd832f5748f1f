/** Reading batches: in goes who asks and for what, out come batches and their faults; those of others are not there. */
import type { Database, ReadOptions } from '../../database/database.js';
import { FairwayError } from '../../errors.js';
import type { Caller } from '../upload/context.js';
import type { BatchState, FaultRow } from '../upload/sql.js';
import { batchById, batchesWhere, faultsFrom, type BatchRow, type StoredFault } from './sql.js';

export type { BatchState } from '../upload/sql.js';

export interface Batch {
  id: string;
  owner: string | null;
  key: string | null;
  /** `upload`, `sample`, or what was imported. */
  source: string;
  state: BatchState;
  format: string | null;
  items: number;
  lanes: number;
  bytes: number | null;
  /** Of its publication. */
  revision: number | null;
  withdrawnRevision: number | null;
  replaces: string | null;
  replacedBy: string | null;
  receivedAt: Date;
  publishedAt: Date | null;
  /** When its items, once withdrawn, or its faults, once rejected, were removed. */
  purgedAt: Date | null;
  errors: number;
  errorCounts: Readonly<Record<string, number>>;
  /** Whether it comes in parts. */
  parts: boolean;
  /** When it is removed unless a part comes; of an open one in parts. */
  expiresAt: Date | null;
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text));

const asBatch = (row: BatchRow): Batch => ({
  id: row.id,
  owner: row.owner_key,
  key: row.idempotency_key,
  source: row.source,
  state: row.state,
  format: row.format,
  items: Number(row.items),
  lanes: row.lanes,
  bytes: numberOf(row.bytes),
  revision: numberOf(row.published_revision),
  withdrawnRevision: numberOf(row.withdrawn_revision),
  replaces: row.replaces,
  replacedBy: row.replaced_by,
  receivedAt: row.received_at,
  publishedAt: row.published_at,
  purgedAt: row.purged_at,
  errors: Number(row.error_total),
  errorCounts: row.error_counts,
  parts: row.in_parts,
  expiresAt: row.expires_at,
});

const ownerOf = (caller: Caller): string | null => (caller.all ? null : caller.key);

/** Throws `batch_unknown`, also for batches of others. */
export async function readBatch(
  database: Database,
  id: string,
  caller: Caller,
  options: ReadOptions = {},
): Promise<Batch> {
  const rows = isId(id) ? await database.read<BatchRow>(batchById(id, ownerOf(caller)), options) : [];
  const [row] = rows;
  if (!row) throw new FairwayError('batch_unknown', `there is no batch ${id}, or it is not yours`);
  return asBatch(row);
}

export const isId = (text: string): boolean => /^[1-9][0-9]{0,17}$/.test(text);

export interface BatchQuestion {
  state?: BatchState | undefined;
  key?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Only batches older than this one. */
  before?: string | undefined;
  limit: number;
}

/** The newest first; `more`: older ones follow. */
export async function listBatches(
  database: Database,
  caller: Caller,
  { state, key, since, until, before, limit }: BatchQuestion,
  options: ReadOptions = {},
): Promise<{ batches: Batch[]; more: boolean }> {
  const filter = { owner: ownerOf(caller), state, key, since, until, before, limit: limit + 1 };
  const rows = await database.read<BatchRow>(batchesWhere(filter), options);
  return { batches: rows.slice(0, limit).map(asBatch), more: rows.length > limit };
}

/** Faults of a batch in order of place, from a position on. */
export async function readFaults(
  database: Database,
  batch: string,
  from: number,
  limit: number,
  options: ReadOptions = {},
): Promise<FaultRow[]> {
  const rows = await database.read<StoredFault>(faultsFrom(batch, from, limit), options);
  return rows.map(({ line, column, ...fault }) => ({
    line: Number(line),
    column: Number(column),
    ...fault,
  }));
}
