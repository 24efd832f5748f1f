/**
 * The statements of purging. Each that removes items looks itself whether they may go: the horizon must have moved, and
 * the rollups must have taken the withdrawal in, or rolling up would no longer find what to subtract.
 */
import type { ClientBase, QueryConfig, QueryResultRow } from 'pg';

async function one<Row extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: unknown[],
): Promise<Row> {
  const { rows } = await client.query<Row>(text, values);
  const [row] = rows;
  if (!row) throw new Error(`expected a row: ${text}`);
  return row;
}

/** Number of the advisory lock of purging: "fpur" in ASCII. */
const purgeLock = 0x66707572;

export const tryPurgeLock = async (client: ClientBase): Promise<boolean> =>
  (await one<{ got: boolean }>(client, 'select pg_try_advisory_lock($1) as got', [purgeLock])).got;

export const releasePurgeLock = (client: ClientBase): Promise<unknown> =>
  client.query('select pg_advisory_unlock($1)', [purgeLock]);

/** Rows found at once. */
const rowsAtOnce = 100;

const daysAgo = (parameter: string): string =>
  `clock_timestamp() - ${parameter}::double precision * interval '24 hours'`;

export interface WithdrawnBatch {
  batch: string;
  attempt: string;
  /** Of its withdrawal. */
  revision: string;
}

/** Withdrawn so many days ago or longer, the first first; only what the rollups have taken in. */
export async function withdrawnLongAgo(client: ClientBase, days: number): Promise<WithdrawnBatch[]> {
  const { rows } = await client.query<WithdrawnBatch>(
    `select b.id as batch, b.attempt, b.withdrawn_revision as revision
     from fairway.batches b join fairway.revisions r on r.revision = b.withdrawn_revision
     where b.withdrawn_revision is not null and b.purged_at is null
       and b.withdrawn_revision <= (select revision from fairway.rollup_state) and r.made_at <= ${daysAgo('$1')}
     order by b.withdrawn_revision limit ${rowsAtOnce}`,
    [days],
  );
  return rows;
}

/** Questions about revisions before this one are no longer answered. */
export const moveHorizon = (client: ClientBase, revision: string): Promise<unknown> =>
  client.query('update fairway.retention set history_from = $1 where history_from < $1', [revision]);

/** Parts of an attempt that are still there. */
export async function partsLeft(client: ClientBase, attempt: string): Promise<number[]> {
  const { rows } = await client.query<{ part: number }>(
    'select part from fairway.parts where attempt = $1 order by part',
    [attempt],
  );
  return rows.map(({ part }) => part);
}

/** Of attempt $1. */
const mayGo = `exists (select from fairway.batches b where b.attempt = $1 and b.purged_at is null
      and b.withdrawn_revision <= (select revision from fairway.rollup_state)
      and b.withdrawn_revision <= (select history_from from fairway.retention))`;

export interface RemovedSegments {
  segments: number;
  items: number;
  /** Of packed items. */
  bytes: number;
}

/**
 * A step: so many segments of a part. Part by part, because the index still leads to what the steps before removed
 * until a vacuum came by: with a snapshot held open, each step would walk over all of them.
 */
export async function removeSegments(
  client: ClientBase,
  attempt: string,
  part: number,
  limit: number,
): Promise<RemovedSegments> {
  const { segments, items, bytes } = await one<Record<keyof RemovedSegments, string>>(
    client,
    `with gone as (
       delete from fairway.segments
       where ctid = any (array(select ctid from fairway.segments where attempt = $1 and part = $2 limit $3)) and ${mayGo}
       returning items, octet_length(payload) as bytes
     ) select count(*) as segments, coalesce(sum(items), 0) as items, coalesce(sum(bytes), 0) as bytes from gone`,
    [attempt, part, limit],
  );
  return { segments: Number(segments), items: Number(items), bytes: Number(bytes) };
}

/** The part's row, once none of its segments is left. */
export const removePart = (client: ClientBase, attempt: string, part: number): Promise<unknown> =>
  client.query(
    `delete from fairway.parts where attempt = $1 and part = $2 and ${mayGo}
       and not exists (select from fairway.segments where attempt = $1 and part = $2)`,
    [attempt, part],
  );

/** False where something of it is left. */
export async function markPurged(client: ClientBase, { batch, attempt }: WithdrawnBatch): Promise<boolean> {
  const { rowCount } = await client.query(
    `update fairway.batches set purged_at = clock_timestamp() where id = $1 and attempt = $2 and withdrawn_revision is not null
       and purged_at is null and not exists (select from fairway.parts where attempt = $2)`,
    [batch, attempt],
  );
  return rowCount === 1;
}

/** Batches that were rejected so many days ago or longer and still have their faults, the first first. */
export async function rejectedLongAgo(client: ClientBase, days: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from fairway.batches where state = 'rejected' and purged_at is null and rejected_at <= ${daysAgo('$1')}
     order by rejected_at limit ${rowsAtOnce}`,
    [days],
  );
  return rows.map(({ id }) => id);
}

/**
 * Removes the faults of a batch, all of them (at most 100,000) at once, so that a list is whole or gone. Undefined where
 * somebody holds the batch, or it has another verdict by now.
 */
export async function removeFaults(
  client: ClientBase,
  batch: string,
  days: number,
): Promise<number | undefined> {
  const { batches, faults } = await one<{ batches: string; faults: string }>(
    client,
    `with due as (
       select id from fairway.batches where id = $1 and state = 'rejected' and purged_at is null and rejected_at <= ${daysAgo('$2')}
       for update skip locked
     ), gone as (
       delete from fairway.batch_errors e using due where e.batch = due.id returning 1
     ), marked as (
       update fairway.batches b set purged_at = clock_timestamp() from due where b.id = due.id
     ) select (select count(*) from due) as batches, (select count(*) from gone) as faults`,
    [batch, days],
  );
  return batches === '0' ? undefined : Number(faults);
}

/** A step of removing the rows of tries that had no effect; resolves with the batch of each. */
export async function removeAttempts(client: ClientBase, days: number, limit: number): Promise<string[]> {
  const { rows } = await client.query<{ batch: string }>(
    `delete from fairway.attempts where id = any (array(
       select id from fairway.attempts where state = 'collected' and started_at <= ${daysAgo('$1')}
       order by started_at limit $2 for update skip locked)) returning batch`,
    [days, limit],
  );
  return rows.map(({ batch }) => batch);
}

export interface StorageRow {
  table: string | null;
  bytes: string;
}

/** Bytes of each table, with its indexes; of the whole database where no table is named. */
export const storage: QueryConfig = {
  name: 'storage',
  text: `select c.relname as table, pg_total_relation_size(c.oid) as bytes from pg_class c
    where c.relnamespace = 'fairway'::regnamespace and c.relkind = 'r'
    union all select null, pg_database_size(current_database())`,
};

export interface HistoryRow {
  history_from: string;
  /** Of batches that were withdrawn and not yet purged. */
  batches: string;
  items: string;
  /** Items in all batches that are not purged. */
  all_items: string;
}

export const history: QueryConfig = {
  name: 'history',
  text: `select (select history_from from fairway.retention) as history_from,
      count(*) filter (where state = 'withdrawn') as batches, coalesce(sum(items) filter (where state = 'withdrawn'), 0) as items,
      coalesce(sum(items), 0) as all_items
    from fairway.batches where state in ('published', 'withdrawn') and purged_at is null`,
};

/** What the database takes on its disk, at the most in ordinary times: its files, and the log until a checkpoint. */
export const databaseBytes: QueryConfig = {
  name: 'database-bytes',
  text: `select pg_database_size(current_database()) + pg_size_bytes(current_setting('max_wal_size')) as bytes`,
};
