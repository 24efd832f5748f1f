/** The statements that read batches and their faults. */
import type { QueryConfig } from 'pg';
import type { BatchState, FaultRow } from '../upload/sql.js';

export interface BatchRow {
  id: string;
  owner_key: string | null;
  idempotency_key: string | null;
  source: string;
  state: BatchState;
  format: string | null;
  items: string;
  lanes: number;
  bytes: string | null;
  published_revision: string | null;
  withdrawn_revision: string | null;
  replaces: string | null;
  replaced_by: string | null;
  received_at: Date;
  published_at: Date | null;
  purged_at: Date | null;
  error_total: string;
  error_counts: Record<string, number>;
  in_parts: boolean;
  expires_at: Date | null;
}

const columns = `id, owner_key, idempotency_key, source, state, format, items, lanes, bytes, published_revision,
  withdrawn_revision, replaces, replaced_by, received_at, published_at, purged_at, error_total, error_counts, in_parts,
   case when in_parts and state = 'loading' then (select a.lease_until from fairway.attempts a
     where a.batch = batches.id and a.state = 'loading') end as expires_at`;

/** `owner` null: whoever's it is. */
export const batchById = (id: string, owner: string | null): QueryConfig => ({
  name: 'batch-by-id',
  text: `select ${columns} from fairway.batches where id = $1 and ($2::bigint is null or owner_key = $2)`,
  values: [id, owner],
});

export interface BatchFilter {
  owner: string | null;
  state: BatchState | undefined;
  key: string | undefined;
  since: Date | undefined;
  until: Date | undefined;
  /** Only batches with a smaller id. */
  before: string | undefined;
  limit: number;
}

/** The newest first. Conditions that do not hold are left out, so that each has its index. */
export function batchesWhere(filter: BatchFilter): QueryConfig {
  const values: unknown[] = [];
  const conditions = Object.entries({
    'owner_key =': filter.owner ?? undefined,
    'state =': filter.state,
    'idempotency_key =': filter.key,
    'received_at >=': filter.since,
    'received_at <': filter.until,
    'id <': filter.before,
  }).flatMap(([condition, value]) => (value === undefined ? [] : [`${condition} $${values.push(value)}`]));
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return {
    text: `select ${columns} from fairway.batches ${where} order by id desc limit $${values.push(filter.limit)}`,
    values,
  };
}

/** Numbers as PostgreSQL's bigint comes. */
export interface StoredFault extends Omit<FaultRow, 'line' | 'column'> {
  line: string;
  column: string;
}

/** The faults of a batch from a position on. */
export const faultsFrom = (batch: string, position: number, limit: number): QueryConfig => ({
  name: 'faults-from',
  text: `select line, column_number as "column", field, code, message, value from fairway.batch_errors
    where batch = $1 and position >= $2 order by position limit $3`,
  values: [batch, position, limit],
});
