/**
 * Histories for questions about the past: random steps, written as rows at once, and what plain SQL says of any
 * revision of them. Written directly, since thousands of them published one by one would take minutes.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { parseDay } from '../../src/days.js';
import { packItems, segmentFormat } from '../../src/segment.js';

/** A history's days: across two months, so that a lane has two rollups. */
export const firstDay = parseDay('2021-01-20') ?? 0;
export const days = 24;
/** So many that regions often have rollups of their own. */
export const ports = 'A B C D E F G H I J K L'.split(' ').map((letter) => letter.repeat(5));
/** So few that lanes often have items of several batches. */
const busyPorts = ports.slice(0, 6);
export const regions = ['north', 'south', 'east'];

export type PastItem = [origin: string, destination: string, day: number, price: number];
export interface PastPlace {
  kind: 'port' | 'region';
  code: string;
  name: string;
  parent: string | null;
}

export type Step =
  | { kind: 'publish'; items: PastItem[] }
  | { kind: 'replace'; which: number; items: PastItem[] }
  | { kind: 'withdraw'; which: number }
  /** All in one revision. */
  | { kind: 'places'; places: PastPlace[] }
  | { kind: 'roll up' };

const items: fc.Arbitrary<PastItem[]> = fc.array(
  fc.tuple(
    fc.constantFrom(...busyPorts),
    fc.constantFrom(...busyPorts),
    fc.integer({ min: firstDay, max: firstDay + days - 1 }),
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  ),
  { minLength: 1, maxLength: 8 },
);
const place: fc.Arbitrary<PastPlace> = fc.oneof(
  fc.record({
    kind: fc.constant('port' as const),
    code: fc.constantFrom(...ports),
    name: fc.constantFrom('Old', 'New'),
    parent: fc.constantFrom(...regions),
  }),
  // A region lies in one that comes before it, so that there is no cycle.
  fc.integer({ min: 0, max: regions.length - 1 }).chain((index) =>
    fc.record({
      kind: fc.constant('region' as const),
      code: fc.constant(regions[index] ?? ''),
      name: fc.constantFrom('Old', 'New'),
      parent: fc.option(fc.constantFrom(...(index === 0 ? ['nowhere'] : regions.slice(0, index)))),
    }),
  ),
);
const which = fc.nat(20);
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), items }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace' as const), which, items }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which }) },
  { weight: 2, arbitrary: place.map((one): Step => ({ kind: 'places', places: [one] })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'roll up' as const }) },
);
/** As an import makes them: every port in a region, the regions within the first. */
const manyPlaces: fc.Arbitrary<Step> = fc
  .array(fc.constantFrom(...regions), { minLength: ports.length, maxLength: ports.length })
  .map((parents) => ({
    kind: 'places',
    places: [
      ...regions.map((code, index): PastPlace => {
        const parent = index === 0 ? null : (regions[0] ?? null);
        return { kind: 'region', code, name: 'First', parent };
      }),
      ...ports.map((code, index): PastPlace => {
        return { kind: 'port', code, name: 'First', parent: parents[index] ?? null };
      }),
    ],
  }));

export const history = fc
  .tuple(fc.option(manyPlaces), fc.array(step, { minLength: 5, maxLength: 39 }))
  .map(([first, steps]) => (first === null ? steps : [first, ...steps]));

interface Batch {
  id: number;
  published: number;
  withdrawn: number | null;
  items: PastItem[];
}
interface PlaceVersion extends PastPlace {
  from: number;
  until: number | null;
}

/** What the steps come to: rows of each revision, and the revisions at which rollups move up to it. */
export interface Past {
  newest: number;
  batches: Batch[];
  places: PlaceVersion[];
  rollUps: number[];
}

/** Steps that mean nothing, such as withdrawing where nothing is visible, make no revision. */
export function pastOf(steps: readonly Step[]): Past {
  const past: Past = { newest: 0, batches: [], places: [], rollUps: [] };
  for (const next of steps) {
    if (next.kind === 'roll up') past.rollUps.push(past.newest);
    else if (next.kind === 'places') changePlaces(past, next.places);
    else {
      const visible = past.batches.filter(({ withdrawn }) => withdrawn === null);
      const gone = next.kind === 'publish' ? undefined : visible[next.which % Math.max(1, visible.length)];
      if (next.kind === 'withdraw' && !gone) continue;
      past.newest++;
      if (gone) gone.withdrawn = past.newest;
      if (next.kind === 'withdraw') continue;
      const batch = { id: past.batches.length + 1, published: past.newest, withdrawn: null };
      past.batches.push({ ...batch, items: next.items });
    }
  }
  return past;
}

function changePlaces(past: Past, places: readonly PastPlace[]): void {
  const from = past.newest + 1;
  for (const place of places) {
    const now = past.places.find(
      ({ kind, code, until }) => kind === place.kind && code === place.code && until === null,
    );
    if (now?.name === place.name && now.parent === place.parent) continue;
    past.newest = from;
    if (now) now.until = from;
    past.places.push({ ...place, from, until: null });
  }
}

/** Writes a history in place of what there is, its head at revision 0. */
export async function writePast(client: pg.ClientBase, { newest, batches, places }: Past): Promise<void> {
  await client.query(`begin;
    delete from fairway.segments; delete from fairway.parts; delete from fairway.rollups; delete from fairway.region_rollups; delete from fairway.places; delete from fairway.lanes;
    update fairway.batches set attempt = null, state = 'rejected', published_revision = null, withdrawn_revision = null, purged_at = null;
    update fairway.retention set history_from = 0;
    delete from fairway.attempts; delete from fairway.batches; delete from fairway.revisions;
    update fairway.rollup_state set revision = 0, places_revision = null; update fairway.head set revision = 0, places_revision = 0;`);
  const insert = (text: string, rows: unknown): Promise<unknown> =>
    client.query(text, [JSON.stringify(rows)]);
  await client.query(
    `insert into fairway.revisions (revision, reason) select r, 'step ' || r from generate_series(1, $1::bigint) r`,
    [newest],
  );
  const lanes = [
    ...new Set(batches.flatMap((batch) => batch.items.map(([from, to]) => `${from} ${to}`))),
  ].map((lane, index) => ({ id: index + 1, from: lane.split(' ')[0], to: lane.split(' ')[1] }));
  await insert(
    `insert into fairway.lanes (id, orig_code, dest_code) overriding system value
     select id, "from", "to" from json_to_recordset($1) as n (id integer, "from" text, "to" text)`,
    lanes,
  );
  await insert(
    `with given as (select * from json_to_recordset($1) as n (id bigint, published bigint, withdrawn bigint, first date, last date, items bigint)),
       opened as (insert into fairway.batches (id, source) overriding system value select id, 'test' from given)
     insert into fairway.attempts (id, batch) overriding system value select id, id from given`,
    batches.map(({ id }) => ({ id })),
  );
  await insert(
    `update fairway.batches b set attempt = n.id, published_revision = n.published, withdrawn_revision = n.withdrawn,
       state = case when n.withdrawn is null then 'published' else 'withdrawn' end, published_at = now(), items = n.items,
       lanes = n.lanes, first_day = date '1970-01-01' + n.first, last_day = date '1970-01-01' + n.last
     from json_to_recordset($1) as n (id bigint, published bigint, withdrawn bigint, items bigint, lanes integer, first integer, last integer)
     where n.id = b.id`,
    batches.map(({ items, ...batch }) => ({
      ...batch,
      items: items.length,
      lanes: new Set(items.map(([from, to]) => `${from} ${to}`)).size,
      first: Math.min(...items.map(([, , day]) => day)),
      last: Math.max(...items.map(([, , day]) => day)),
    })),
  );
  await insert(
    `insert into fairway.segments (lane, attempt, part, first_day, last_day, items, format, payload)
     select l.id, n.attempt, 0, date '1970-01-01' + n.first, date '1970-01-01' + n.last, n.items, ${segmentFormat}, decode(n.payload, 'hex')
     from json_to_recordset($1) as n (attempt bigint, "from" text, "to" text, first integer, last integer, items integer, payload text)
     join fairway.lanes l on l.orig_code = n."from" and l.dest_code = n."to"`,
    batches.flatMap(segmentsOf),
  );
  await client.query(
    `insert into fairway.parts (attempt, part, items) select attempt, part, sum(items) from fairway.segments group by 1, 2`,
  );
  await insert(
    `insert into fairway.places (kind, code, name, parent, from_revision, until_revision)
     select kind, code, name, parent, "from", until from json_to_recordset($1)
       as n (kind text, code text, name text, parent text, "from" bigint, until bigint)`,
    places,
  );
  await client.query('commit');
}

function segmentsOf({ id, items }: Batch) {
  const byLane = new Map<string, PastItem[]>();
  for (const item of items) {
    const lane = `${item[0]} ${item[1]}`;
    byLane.set(lane, [...(byLane.get(lane) ?? []), item]);
  }
  return [...byLane.values()].map((lane) => {
    const sorted = lane.toSorted((a, b) => a[2] - b[2] || a[3] - b[3]);
    const [daysOf, prices] = [sorted.map(([, , day]) => day), sorted.map(([, , , price]) => price)];
    return {
      attempt: id,
      from: lane[0]?.[0],
      to: lane[0]?.[1],
      first: daysOf[0],
      last: daysOf.at(-1),
      items: lane.length,
      payload: packItems(daysOf, prices, 0, lane.length).toString('hex'),
    };
  });
}

/** As head is while a revision is the newest. */
export const moveHead = (client: pg.ClientBase, revision: number): Promise<unknown> =>
  client.query(
    `update fairway.head set revision = $1, places_revision =
       (select coalesce(max(r), 0) from fairway.places, lateral (values (from_revision), (until_revision)) v (r) where r <= $1)`,
    [revision],
  );

export const horizonOf = async (client: pg.ClientBase): Promise<number> => {
  const { rows } = await client.query<{ history_from: string }>('select history_from from fairway.retention');
  return Number(rows[0]?.history_from);
};

/** Two ends, each a port of old or the name of a place, as of a revision. */
export interface PastQuestion {
  origin: string;
  destination: string;
  places: boolean;
  asOf: number;
  from: number;
  to: number;
}

/**
 * What plain SQL over the items says of each question, as an analyst would write it by hand: one text `day count sum`
 * for each day, from three items on with min, max and the percentiles 2.5, 25, 50, 75 and 97.5; `unknown` for an end that
 * was no place then.
 */
export async function plainly(
  client: pg.ClientBase,
  questions: readonly PastQuestion[],
): Promise<string[][]> {
  const { rows } = await client.query<{ told: string[] }>(plainQuestion, [JSON.stringify(questions)]);
  return rows.map(({ told }) => told);
}

const plainQuestion = `
  with questions as materialized (
    select * from rows from (json_to_recordset($1) as (origin text, destination text, places boolean, "asOf" bigint, "from" integer, "to" integer))
      with ordinality as q (origin, destination, places, as_of, "from", "to", number)
  ), asked as (select distinct as_of from questions
  ), then_places as (
    select a.as_of, p.* from asked a join fairway.places p on p.from_revision <= a.as_of and (p.until_revision is null or p.until_revision > a.as_of)
  ), then_items as (
    select a.as_of, l.orig_code, l.dest_code, i.day, i.price
    from asked a
    join fairway.batches b on b.published_revision <= a.as_of and (b.withdrawn_revision is null or b.withdrawn_revision > a.as_of)
    join fairway.segments s on s.attempt = b.attempt
    join fairway.lanes l on l.id = s.lane
    cross join lateral fairway.unpack(s.format, s.first_day, s.items, s.payload) i
  ), below as (
    with recursive below as (
      select as_of, code as root, code as slug from then_places where kind = 'region'
      union select b.as_of, b.root, r.code from below b join then_places r on r.as_of = b.as_of and r.kind = 'region' and r.parent = b.slug
    ) select * from below
  ), ports_of as (
    select b.as_of, b.root as name, p.code from below b join then_places p on p.as_of = b.as_of and p.kind = 'port' and p.parent = b.slug
    union select as_of, code, code from then_places where kind = 'port'
  )
  select q.number, case
      when q.places and not (exists (select from then_places p where p.as_of = q.as_of and p.code = q.origin)
        and exists (select from then_places p where p.as_of = q.as_of and p.code = q.destination)) then array['unknown']
      else array(
        select concat_ws(' ', i.day, count(*), sum(i.price), case when count(*) >= 3 then concat_ws(' ', min(i.price), max(i.price),
          array_to_string(percentile_cont(array[0.025, 0.25, 0.5, 0.75, 0.975]) within group (order by i.price), ' ')) end) from then_items i
        where i.as_of = q.as_of and i.day between date '1970-01-01' + q."from" and date '1970-01-01' + q."to"
          and case when q.places then i.orig_code <> i.dest_code
              and exists (select from ports_of o where o.as_of = q.as_of and o.name = q.origin and o.code = i.orig_code)
              and exists (select from ports_of d where d.as_of = q.as_of and d.name = q.destination and d.code = i.dest_code)
            else i.orig_code = q.origin and i.dest_code = q.destination end
        group by i.day order by i.day) end as told
  from questions q order by q.number`;
