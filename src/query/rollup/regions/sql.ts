/** The statements of rollups between places. */
import type { ClientBase } from 'pg';
import { asOneValue, numbers } from '../payloads.js';
import type { Pair } from './pairs.js';

const columnsOf = (pairs: readonly (Pair & { month: number })[]): [string[], string[], string] => [
  pairs.map(({ origin }) => origin),
  pairs.map(({ destination }) => destination),
  numbers(pairs.map(({ month }) => month)),
];

/** Those that are there already; `place` is the place in the list, from 1. */
export async function pairsThere(
  client: ClientBase,
  pairs: readonly (Pair & { month: number })[],
): Promise<{ place: number; payload: Buffer }[]> {
  const { rows } = await client.query<{ place: number; payload: Buffer }>({
    name: 'pairs-there',
    text: `select n.place::integer as place, r.payload
      from unnest($1::text[], $2::text[], $3::smallint[]) with ordinality as n (origin, destination, month, place)
      cross join lateral (select r.payload from fairway.region_rollups r
        where r.origin = n.origin and r.destination = n.destination and r.month = n.month offset 0) r`,
    values: columnsOf(pairs),
  });
  return rows;
}

/** Writes them; null takes one away. */
export async function savePairs(
  client: ClientBase,
  pairs: readonly (Pair & { month: number })[],
  payloads: readonly (Buffer | null)[],
): Promise<void> {
  const { starts, lengths, whole } = asOneValue(payloads);
  const rows = `(select origin, destination, month, length, substr($6::bytea, start, length) as payload
    from unnest($1::text[], $2::text[], $3::smallint[], $4::integer[], $5::integer[]) as n (origin, destination, month, start, length)) n`;
  const values = [...columnsOf(pairs), starts, lengths, whole];
  await client.query({
    name: 'save-pairs',
    text: `insert into fairway.region_rollups (origin, destination, month, payload)
      select origin, destination, month, payload from ${rows} where length > 0
      on conflict (origin, destination, month) do update set payload = excluded.payload`,
    values,
  });
  if (!payloads.includes(null)) return;
  await client.query(
    `delete from fairway.region_rollups r using ${rows}
     where n.length = 0 and r.origin = n.origin and r.destination = n.destination and r.month = n.month`,
    values,
  );
}

export const deletePairs = (client: ClientBase): Promise<unknown> =>
  client.query('delete from fairway.region_rollups');

export interface LaneRollup {
  orig_code: string;
  dest_code: string;
  /** Since 1970-01. */
  month: number;
  payload: Buffer;
}

const rollupsAtOnce = 5_000;

/** All rollups of lanes, month by month, over a cursor of the transaction the client is in. */
export async function* rollupsByMonth(client: ClientBase): AsyncGenerator<LaneRollup> {
  await client.query(
    `declare rollups_by_month no scroll cursor for select l.orig_code, l.dest_code, r.month, r.payload
     from fairway.rollups r join fairway.lanes l on l.id = r.lane where l.orig_code <> l.dest_code order by r.month`,
  );
  for (;;) {
    const { rows } = await client.query<LaneRollup>(`fetch ${rollupsAtOnce} from rollups_by_month`);
    yield* rows;
    if (rows.length < rollupsAtOnce) break;
  }
  await client.query('close rollups_by_month');
}

export interface PairRollup extends Pair {
  /** Since 1970-01. */
  month: number;
  payload: Buffer;
}

/** All rollups between places, month by month, over a cursor of the transaction the client is in. */
export async function* pairsByMonth(
  client: ClientBase,
): AsyncGenerator<{ month: number; pairs: PairRollup[] }> {
  await client.query(
    `declare pairs_by_month no scroll cursor for
     select origin, destination, month, payload from fairway.region_rollups order by month`,
  );
  let pairs: PairRollup[] = [];
  for (;;) {
    const { rows } = await client.query<PairRollup>(`fetch ${rollupsAtOnce} from pairs_by_month`);
    for (const row of rows) {
      const month = pairs[0]?.month;
      if (month !== undefined && month !== row.month) {
        yield { month, pairs };
        pairs = [];
      }
      pairs.push(row);
    }
    if (rows.length < rollupsAtOnce) break;
  }
  if (pairs[0]) yield { month: pairs[0].month, pairs };
  await client.query('close pairs_by_month');
}
