/** The statements of batches that come over HTTP: claiming, loading, rejecting, giving up. */
import type { ClientBase, QueryConfig, QueryResultRow } from 'pg';

async function some<Row extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: unknown[],
): Promise<Row | undefined> {
  const { rows } = await client.query<Row>(text, values);
  return rows[0];
}

/** Locks are not waited for longer than this: whoever holds one may wait for a standby that is gone. */
export const limitLockWaits = (client: ClientBase): Promise<unknown> =>
  client.query("set local lock_timeout = '8s'");

export interface NewBatch {
  owner: string | null;
  key: string | null;
  format: string | null;
  /** Where it is known before the verdict. */
  replaces?: string | null;
  inParts?: boolean;
}

/** Undefined where the key is taken. Waits for whoever is about to take it. */
export const insertBatch = (client: ClientBase, batch: NewBatch): Promise<{ id: string } | undefined> =>
  some(
    client,
    `insert into fairway.batches (source, owner_key, idempotency_key, format, replaces, in_parts)
     values ('upload', $1, $2, $3, $4, $5)
     on conflict (coalesce(owner_key, 0), idempotency_key) where idempotency_key is not null do nothing returning id`,
    [batch.owner, batch.key, batch.format, batch.replaces ?? null, batch.inParts ?? false],
  );

export type BatchState = 'loading' | 'published' | 'rejected' | 'withdrawn';

export interface KnownBatch {
  id: string;
  state: BatchState;
  content_sha256: Buffer | null;
  /** Rejected with a fault of the declared count, which is no part of the content where a header declared it. */
  count_differs: boolean;
  replaces: string | null;
  in_parts: boolean;
  /** The attempt that loads now, if its lease is not over. */
  running: string | null;
}

const known = `select b.id, b.state, b.content_sha256, b.error_counts ? 'count_differs' as count_differs, b.replaces,
    b.in_parts,
    (select a.id from fairway.attempts a where a.batch = b.id and a.state = 'loading' and b.attempt is distinct from a.id
       and a.lease_until > clock_timestamp()) as running
  from fairway.batches b`;

/** The batch of a key, without a lock. */
export const batchOfKey = (owner: string | null, key: string): QueryConfig => ({
  name: 'batch-of-key',
  text: `${known} where coalesce(b.owner_key, 0) = coalesce($1::bigint, 0) and b.idempotency_key = $2`,
  values: [owner, key],
});

export const batchNow = (id: string): QueryConfig => ({
  name: 'batch-now',
  text: `${known} where b.id = $1`,
  values: [id],
});

/** Locks the batch of a key; what it is must be asked by a statement after this one, whose snapshot is newer. */
export const lockBatchOfKey = (
  client: ClientBase,
  owner: string | null,
  key: string,
): Promise<{ id: string } | undefined> =>
  some(
    client,
    `select id from fairway.batches where coalesce(owner_key, 0) = coalesce($1::bigint, 0) and idempotency_key = $2 for update`,
    [owner, key],
  );

/** Attempts of the batch that may load no more from now on; the batch must be locked FOR UPDATE. */
export const markAttemptsDead = (client: ClientBase, batch: string): Promise<unknown> =>
  client.query(
    `update fairway.attempts a set state = 'dead' from fairway.batches b
     where b.id = $1 and a.batch = b.id and a.state = 'loading' and b.attempt is distinct from a.id`,
    [batch],
  );

/** The batch must be locked FOR UPDATE. */
export const markAttemptDead = (client: ClientBase, attempt: string): Promise<unknown> =>
  client.query(`update fairway.attempts set state = 'dead' where id = $1 and state = 'loading'`, [attempt]);

export const insertAttempt = async (
  client: ClientBase,
  batch: string,
  leaseMilliseconds: number,
): Promise<string> => {
  const row = await some<{ id: string }>(
    client,
    `insert into fairway.attempts (batch, lease_until) values ($1, clock_timestamp() + $2 * interval '1 millisecond') returning id`,
    [batch, leaseMilliseconds],
  );
  return row?.id ?? '';
};

/** False where the attempt is no longer ours to renew: another one took over, or it is published and has no lease. */
export async function renewLease(
  client: ClientBase,
  attempt: string,
  leaseMilliseconds: number,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update fairway.attempts set lease_until = clock_timestamp() + $2 * interval '1 millisecond' where id = $1 and state = 'loading'
       and lease_until is not null`,
    [attempt, leaseMilliseconds],
  );
  return rowCount === 1;
}

/** Holds off publishing, taking over and collecting until the transaction ends; parts do not hold off each other. */
export const shareBatch = (client: ClientBase, batch: string): Promise<{ id: string } | undefined> =>
  some(client, 'select id from fairway.batches where id = $1 for share', [batch]);

export interface AttemptNow {
  state: 'loading' | 'dead' | 'collected';
  batch_state: BatchState;
  /** The attempt that is published. */
  published: string | null;
  published_revision: string | null;
  content_sha256: Buffer | null;
}

/** To be asked after the batch was locked: the statement that waited for the lock has an older snapshot. */
export const attemptNow = (client: ClientBase, attempt: string): Promise<AttemptNow | undefined> =>
  some(
    client,
    `select a.state, b.state as batch_state, b.attempt as published, b.published_revision, b.content_sha256
     from fairway.attempts a join fairway.batches b on b.id = a.batch where a.id = $1`,
    [attempt],
  );

export interface PartRow {
  part: number;
  items: number;
  /** Since 1970-01-01. */
  firstDay: number;
  lastDay: number;
}

/** False where that part is there already: an earlier try was committed after all. Waits for one that is about to be. */
export async function insertPart(
  client: ClientBase,
  attempt: string,
  { part, items, firstDay, lastDay }: PartRow,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into fairway.parts (attempt, part, items, first_day, last_day)
     values ($1, $2, $3, date '1970-01-01' + $4::integer, date '1970-01-01' + $5::integer) on conflict do nothing`,
    [attempt, part, items, firstDay, lastDay],
  );
  return rowCount === 1;
}

export interface Rejection {
  sha256: Buffer;
  bytes: number;
  items: number;
  lanes: number;
  format: string;
  errorTotal: number;
  errorCounts: Readonly<Record<string, number>>;
}

export const rejectBatch = (client: ClientBase, batch: string, rejection: Rejection): Promise<unknown> =>
  client.query(
    `update fairway.batches set state = 'rejected', content_sha256 = $2, bytes = $3, items = $4, lanes = $5, format = $6,
       error_total = $7, error_counts = $8, rejected_at = clock_timestamp(), purged_at = null where id = $1`,
    [
      batch,
      rejection.sha256,
      rejection.bytes,
      rejection.items,
      rejection.lanes,
      rejection.format,
      rejection.errorTotal,
      JSON.stringify(rejection.errorCounts),
    ],
  );

export const deleteFaults = (client: ClientBase, batch: string): Promise<unknown> =>
  client.query('delete from fairway.batch_errors where batch = $1', [batch]);

export interface FaultRow {
  line: number;
  column: number;
  field: string | null;
  code: string;
  message: string;
  value: string | null;
}

/** `first` is the position of the first of these faults. */
export const insertFaults = (
  client: ClientBase,
  batch: string,
  first: number,
  faults: readonly FaultRow[],
): Promise<unknown> =>
  client.query(
    `insert into fairway.batch_errors (batch, position, line, column_number, field, code, message, value)
     select $1, $2 + (n.place - 1)::integer, n.line, n.column_number, n.field, n.code, n.message, n.value
     from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
       with ordinality as n (line, column_number, field, code, message, value, place)`,
    [
      batch,
      first,
      faults.map((fault) => fault.line),
      faults.map((fault) => fault.column),
      faults.map((fault) => fault.field),
      faults.map((fault) => fault.code),
      faults.map((fault) => fault.message),
      faults.map((fault) => fault.value),
    ],
  );

/** Attempts whose lease is over, and dead ones whose segments may still be there. */
export const collectable: QueryConfig = {
  name: 'collectable',
  text: `select a.id as attempt, a.batch, b.in_parts from fairway.attempts a join fairway.batches b on b.id = a.batch
    where a.state = 'dead'
      or (a.state = 'loading' and a.lease_until < clock_timestamp() and b.attempt is distinct from a.id)
    order by a.id`,
};

/** Batches whose removal was cut off when nothing was left of them. */
export const leftBehind: QueryConfig = {
  name: 'left-behind',
  text: `select b.id as batch, b.in_parts from fairway.batches b
    where b.state = 'loading' and (b.in_parts or b.idempotency_key is null)
      and not exists (select from fairway.attempts a where a.batch = b.id and a.state <> 'collected')`,
};

/** Locks the batch unless somebody else holds it; then there is no row. */
export const lockIdleBatch = (client: ClientBase, batch: string): Promise<{ id: string } | undefined> =>
  some(client, 'select id from fairway.batches where id = $1 for update skip locked', [batch]);

/** Marks the attempt dead where its lease is over; the batch must be locked. False where it is neither. */
export async function markExpiredDead(client: ClientBase, attempt: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `update fairway.attempts a set state = 'dead' from fairway.batches b
     where a.id = $1 and b.id = a.batch and b.attempt is distinct from a.id
       and (a.state = 'dead' or (a.state = 'loading' and a.lease_until < clock_timestamp()))`,
    [attempt],
  );
  return rowCount === 1;
}

/** A step of removing what a dead attempt loaded; 0 when nothing is left. */
export async function deleteSegments(client: ClientBase, attempt: string, limit: number): Promise<number> {
  const { rowCount } = await client.query(
    `delete from fairway.segments where ctid = any (array(select ctid from fairway.segments where attempt = $1 limit $2))
       and exists (select from fairway.attempts where id = $1 and state = 'dead')`,
    [attempt, limit],
  );
  return rowCount ?? 0;
}

export async function markCollected(client: ClientBase, attempt: string): Promise<void> {
  await client.query(
    `delete from fairway.parts p using fairway.attempts a where p.attempt = $1 and a.id = $1 and a.state = 'dead'`,
    [attempt],
  );
  await client.query(`update fairway.attempts set state = 'collected' where id = $1 and state = 'dead'`, [
    attempt,
  ]);
}

/** Removes a batch that never came to a verdict, unless a try is left; it must be locked. `keyed`: even if it has a key. */
export const deleteUnfinishedBatch = (client: ClientBase, batch: string, keyed: boolean): Promise<unknown> =>
  client.query('select fairway.remove_unfinished($1, $2)', [batch, keyed]);

/** Number of the advisory lock of collecting: "fcol" in ASCII. */
const collectLock = 0x66636f6c;

export const tryCollectLock = async (client: ClientBase): Promise<boolean> =>
  (await some<{ got: boolean }>(client, 'select pg_try_advisory_lock($1) as got', [collectLock]))?.got ??
  false;

export const releaseCollectLock = (client: ClientBase): Promise<unknown> =>
  client.query('select pg_advisory_unlock($1)', [collectLock]);

export interface KnownPortRow {
  code: string;
  name: string;
}

export const portsNow: QueryConfig = {
  name: 'ports-now',
  text: `select code, name from fairway.places where kind = 'port' and until_revision is null`,
};

/** Batches of the same content and owner that were published in the day before this one. */
export const sameContent = (batch: string): QueryConfig => ({
  name: 'same-content',
  text: `select o.id from fairway.batches b join fairway.batches o on o.content_sha256 = b.content_sha256
    where b.id = $1 and o.id <> b.id and o.owner_key is not distinct from b.owner_key and o.state = 'published'
      and o.published_revision < b.published_revision and o.published_at > b.published_at - interval '24 hours'
    order by o.id desc limit 5`,
  values: [batch],
});
