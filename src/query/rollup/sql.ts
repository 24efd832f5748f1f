/** The statements of rolling up. Each names the revisions it means: what happened up to a revision never changes again. */
import type { ClientBase, QueryConfig } from 'pg';
import type { LaneSegment } from './months.js';
import { asOneValue, numbers } from './payloads.js';

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
  /** The newest revision that changed places. */
  places_revision: string;
  /** Revision of the tree of places that rollups between places stand for; null before they were made. */
  rolled_places: string | null;
}

export const rollupRevisionsNow: QueryConfig = {
  name: 'rollup-revisions',
  text: `select w.revision as rolled, w.places_revision as rolled_places, h.revision as newest, h.places_revision
    from fairway.rollup_state w, fairway.head h`,
};

export async function rollupRevisions(client: ClientBase): Promise<RollupRevisions> {
  const { rows } = await client.query<RollupRevisions>(rollupRevisionsNow);
  return rows[0] ?? { rolled: '0', newest: '0', places_revision: '0', rolled_places: null };
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

export interface ChangedSegment extends LaneSegment {
  origin: string;
  destination: string;
  /** 1 for what came, -1 for what went. */
  change: number;
}

/** Some 2 ms of work; ten times as many took no less time in all. */
const segmentsAtOnce = 200;

/**
 * The segments of attempts that came or went, lane by lane, the lanes of an origin together and origins in the order
 * given, over a cursor of the transaction the client is in.
 */
export async function* changedSegments(
  client: ClientBase,
  { added, removed, origins }: Record<'added' | 'removed' | 'origins', readonly string[]>,
): AsyncGenerator<ChangedSegment> {
  // Sorting a large batch's segments in memory rather than on disk.
  await client.query("set local work_mem = '64MB'");
  await client.query(
    `declare changed_segments no scroll cursor for
     select s.lane, l.orig_code as origin, l.dest_code as destination, s.first_day - date '1970-01-01' as first_day, s.format, s.payload,
       case when s.attempt = any ($1::bigint[]) then 1 else -1 end as change
     from fairway.segments s join fairway.lanes l on l.id = s.lane
     left join unnest($3::text[]) with ordinality as o (code, place) on o.code = l.orig_code
     where s.attempt = any ($1::bigint[] || $2::bigint[]) order by o.place, s.lane`,
    [added, removed, origins],
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
  const { rows } = await client.query<{ place: number; payload: Buffer }>({
    name: 'rollups-of',
    text: `select n.place::integer as place, r.payload
      from unnest($1::integer[], $2::smallint[]) with ordinality as n (lane, month, place)
      cross join lateral (select r.payload from fairway.rollups r where r.lane = n.lane and r.month = n.month offset 0) r`,
    values: [numbers(lanes), numbers(months)],
  });
  return rows;
}

/** Writes rollups; null takes one away. */
export async function saveRollups(
  client: ClientBase,
  lanes: readonly number[],
  months: readonly number[],
  payloads: readonly (Buffer | null)[],
): Promise<void> {
  const { starts, lengths, whole } = asOneValue(payloads);
  const rows = `(select lane, month, length, substr($5::bytea, start, length) as payload
    from unnest($1::integer[], $2::smallint[], $3::integer[], $4::integer[]) as n (lane, month, start, length)) n`;
  const values = [numbers(lanes), numbers(months), starts, lengths, whole];
  await client.query({
    name: 'save-rollups',
    text: `insert into fairway.rollups (lane, month, payload) select lane, month, payload from ${rows} where length > 0
      on conflict (lane, month) do update set payload = excluded.payload`,
    values,
  });
  if (!payloads.includes(null)) return;
  await client.query(
    `delete from fairway.rollups r using ${rows} where n.length = 0 and r.lane = n.lane and r.month = n.month`,
    values,
  );
}

export const moveRollups = (client: ClientBase, revision: string, places: number): Promise<unknown> =>
  client.query('update fairway.rollup_state set revision = $1, places_revision = $2', [revision, places]);

/** As `lockRollups`, but waits for whoever rolls up. */
export const waitForRollups = (client: ClientBase): Promise<unknown> =>
  client.query('select pg_advisory_xact_lock($1)', [rollupLock]);

/** To be called first in a transaction: every statement of it sees the same, and none can write. */
export const readInOneSnapshot = (client: ClientBase): Promise<unknown> =>
  client.query('set transaction isolation level repeatable read, read only');

/** Numbers of lanes go from 1 to this. */
export async function lanesUpTo(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ last: number }>(
    'select coalesce(max(id), 0) as last from fairway.lanes',
  );
  return rows[0]?.last ?? 0;
}

/** Lanes from after one number up to another. */
export interface LaneStretch {
  after: number;
  upTo: number;
}

/** Segments of what was visible at a revision, in no order. */
export async function segmentsOfLanes(
  client: ClientBase,
  { after, upTo }: LaneStretch,
  revision: string,
): Promise<LaneSegment[]> {
  const { rows } = await client.query<LaneSegment>(
    `select s.lane, s.first_day - date '1970-01-01' as first_day, s.format, s.payload
     from fairway.segments s join fairway.batches b on b.attempt = s.attempt
     where s.lane > $1 and s.lane <= $2 and b.published_revision <= $3
       and (b.withdrawn_revision is null or b.withdrawn_revision > $3)`,
    [after, upTo, revision],
  );
  return rows;
}

export async function rollupsOfLanes(
  client: ClientBase,
  { after, upTo }: LaneStretch,
): Promise<{ lane: number; month: number; payload: Buffer }[]> {
  const { rows } = await client.query<{ lane: number; month: number; payload: Buffer }>(
    'select lane, month, payload from fairway.rollups where lane > $1 and lane <= $2 order by lane, month',
    [after, upTo],
  );
  return rows;
}

export async function laneNames(client: ClientBase, lanes: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await client.query<{ id: number; name: string }>(
    `select id, orig_code || '-' || dest_code as name from fairway.lanes where id = any ($1::integer[])`,
    [lanes],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export interface DifferingBatch {
  id: string;
  items: string;
  in_parts: string;
  in_segments: string;
}

/** Published batches, and those of them whose items are not all in their parts and segments. */
export async function batchesThatDiffer(
  client: ClientBase,
): Promise<{ published: number; differing: DifferingBatch[] }> {
  const { rows } = await client.query<{ published: number }>(
    `select count(*)::integer as published from fairway.batches where state = 'published'`,
  );
  const { rows: differing } = await client.query<DifferingBatch>(
    `select b.id, b.items, coalesce(p.items, 0) as in_parts, coalesce(s.items, 0) as in_segments
     from fairway.batches b
     left join (select attempt, sum(items) as items from fairway.parts group by attempt) p on p.attempt = b.attempt
     left join (select attempt, sum(items) as items from fairway.segments group by attempt) s on s.attempt = b.attempt
     where b.state = 'published' and (b.items <> coalesce(p.items, 0) or b.items <> coalesce(s.items, 0))
     order by b.id`,
  );
  return { published: rows[0]?.published ?? 0, differing };
}

/** The last revision that was made, how many there are, and batches that name one beyond the head. */
export async function revisionsNow(
  client: ClientBase,
): Promise<{ last: string; count: number; beyond: number }> {
  const { rows } = await client.query<{ last: string; count: number; beyond: number }>(
    `select coalesce(max(revision), 0) as last, count(*)::integer as count,
       (select count(*)::integer from fairway.batches b, fairway.head h
        where b.published_revision > h.revision or b.withdrawn_revision > h.revision) as beyond
     from fairway.revisions`,
  );
  return rows[0] ?? { last: '0', count: 0, beyond: 0 };
}
