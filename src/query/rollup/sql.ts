/** The statements of rolling up. Each names the revisions it means: what happened up to a revision never changes again. */
import type { ClientBase } from 'pg';

/** Number of the advisory lock: "roll" in ASCII. */
const rollupLock = 0x726f6c6c;

/** Nobody else rolls up until the transaction ends; false where somebody does. */
export async function lockRollups(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [
    rollupLock,
  ]);
  return rows[0]?.locked === true;
}

export interface RollupRevisions {
  /** Revision that the rollups stand for. */
  rolled: string;
  newest: string;
}

export async function rollupRevisions(client: ClientBase): Promise<RollupRevisions> {
  const { rows } = await client.query<RollupRevisions>(
    'select w.revision as rolled, h.revision as newest from fairway.rollup_state w, fairway.head h',
  );
  return rows[0] ?? { rolled: '0', newest: '0' };
}

/** Attempts whose items came, or went, after one revision and up to another. */
export async function changedAttempts(
  client: ClientBase,
  { rolled, newest }: RollupRevisions,
): Promise<{ added: string[]; removed: string[] }> {
  const { rows } = await client.query<{ attempt: string; added: boolean }>(
    `select attempt, true as added from fairway.batches
     where published_revision > $1 and published_revision <= $2
       and (withdrawn_revision is null or withdrawn_revision > $2)
     union all
     select attempt, false from fairway.batches
     where withdrawn_revision > $1 and withdrawn_revision <= $2 and published_revision <= $1`,
    [rolled, newest],
  );
  const of = (added: boolean): string[] =>
    rows.filter((row) => row.added === added).map((row) => row.attempt);
  return { added: of(true), removed: of(false) };
}

export interface ChangedSegment {
  lane: number;
  /** Since 1970-01-01. */
  first_day: number;
  format: number;
  payload: Buffer;
  /** 1 for what came, -1 for what went. */
  change: number;
}

const segmentsAtOnce = 2_000;

/** The segments of attempts that came or went, lane by lane, over a cursor of the transaction the client is in. */
export async function* changedSegments(
  client: ClientBase,
  added: readonly string[],
  removed: readonly string[],
): AsyncGenerator<ChangedSegment> {
  // Sorting a large batch's segments in memory rather than on disk.
  await client.query("set local work_mem = '64MB'");
  await client.query(
    `declare changed_segments no scroll cursor for
     select lane, first_day - date '1970-01-01' as first_day, format, payload,
       case when attempt = any ($1::bigint[]) then 1 else -1 end as change
     from fairway.segments where attempt = any ($1::bigint[] || $2::bigint[]) order by lane`,
    [added, removed],
  );
  for (;;) {
    const { rows } = await client.query<ChangedSegment>(`fetch ${segmentsAtOnce} from changed_segments`);
    yield* rows;
    if (rows.length < segmentsAtOnce) break;
  }
  await client.query('close changed_segments');
}

/** Rollups of lanes and months that are there already; `place` is the place in the lists, from 1. */
export async function rollupsOf(
  client: ClientBase,
  lanes: readonly number[],
  months: readonly number[],
): Promise<{ place: number; payload: Buffer }[]> {
  const { rows } = await client.query<{ place: number; payload: Buffer }>(
    `select n.place::integer as place, r.payload
     from unnest($1::integer[], $2::smallint[]) with ordinality as n (lane, month, place)
     join fairway.rollups r on r.lane = n.lane and r.month = n.month`,
    [lanes, months],
  );
  return rows;
}

/** Writes rollups; null takes one away. */
export async function saveRollups(
  client: ClientBase,
  lanes: readonly number[],
  months: readonly number[],
  payloads: readonly (Buffer | null)[],
): Promise<void> {
  const rows = 'unnest($1::integer[], $2::smallint[], $3::bytea[]) as n (lane, month, payload)';
  await client.query(
    `insert into fairway.rollups (lane, month, payload) select * from ${rows} where n.payload is not null
     on conflict (lane, month) do update set payload = excluded.payload`,
    [lanes, months, payloads],
  );
  if (!payloads.includes(null)) return;
  await client.query(
    `delete from fairway.rollups r using ${rows} where n.payload is null and r.lane = n.lane and r.month = n.month`,
    [lanes, months, payloads],
  );
}

export const moveRollups = (client: ClientBase, revision: string): Promise<unknown> =>
  client.query('update fairway.rollup_state set revision = $1', [revision]);
