/** The statements of queries. */
import type { QueryConfig } from 'pg';

export interface HeadRow {
  revision: string;
  /** Newest revision that changed places. */
  places_revision: string;
}

export const headOf: QueryConfig = {
  name: 'head',
  text: 'select revision, places_revision from fairway.head',
};

export interface PlacesRow extends HeadRow {
  kind: 'port' | 'region' | null;
  code: string | null;
  name: string | null;
  parent: string | null;
}

/** All places there are now, and the revision they belong to. One row with nulls where there is none. */
export const placesNow: QueryConfig = {
  name: 'places-now',
  text: `select h.revision, h.places_revision, p.kind, p.code, p.name, p.parent
    from fairway.head h left join fairway.places p on p.until_revision is null`,
};

/** All lanes from one of the origins to one of the destinations, except from a port to itself. */
export interface Lanes {
  origins: readonly string[];
  destinations: readonly string[];
}

export interface DayRange {
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
  /** Months since 1970-01 that hold them. */
  fromMonth: number;
  toMonth: number;
}

/** One lane and a range of days. */
export interface LaneDays extends DayRange {
  origin: string;
  destination: string;
}

/** The first row has the revisions and nothing else; every other row is of the question whose place (from 1) it names. */
export interface TotalsRow {
  question: number;
  revision: string | null;
  places_revision: string | null;
  /** The revision that rollups stand for. Where it is not `revision`, they are not the whole answer. */
  rolled_revision: string | null;
  /** Of a rollup, since 1970-01. */
  month: number | null;
  /** Of a segment: 1 for what came since the rollups, -1 for what went. */
  change: number | null;
  /** Of a segment, since 1970-01-01. */
  first_day: number | null;
  format: number | null;
  payload: Buffer | null;
}

const revisions = `select 0 as question, h.revision, h.places_revision, w.revision as rolled_revision,
      null::smallint as month, null::integer as change, null::integer as first_day, null::smallint as format, null::bytea as payload
    from fairway.head h, fairway.rollup_state w`;

const rollups = (from: string): string => `
    union all select question, null, null, null, r.month, null, null, null, r.payload from ${from}`;

const segments = (change: number, from: string): string => `
    union all select question, null, null, null, null, ${change}, s.first_day - date '1970-01-01', s.format, s.payload from ${from}`;

/** Both bounds, though no revision lies beyond the head: of a range PostgreSQL expects few rows and takes the index, of an open end a third of the table. */
const sinceRollups = (column: string): string =>
  `${column} > (select revision from fairway.rollup_state) and ${column} <= (select revision from fairway.head)`;

/** Attempts are found first, over the indexes of revisions, and then their segments over (lane, attempt): batches before the rollups' revision are not touched. */
const came = `any (array(select b.attempt from fairway.batches b
      where ${sinceRollups('b.published_revision')} and b.withdrawn_revision is null))`;
const went = `any (array(select b.attempt from fairway.batches b
      where ${sinceRollups('b.withdrawn_revision')} and b.published_revision <= (select revision from fairway.rollup_state)))`;

/** `offset 0` keeps the subqueries as they are: each question finds its lane and rows over the indexes. Left to itself PostgreSQL, which expects ten questions, reads all lanes and hashes them (150 µs instead of 50 for one question). */
const askedLanes = `unnest($1::text[], $2::text[], $3::smallint[], $4::smallint[], $5::integer[], $6::integer[])
      with ordinality as q (origin, destination, from_month, to_month, from_day, to_day, place)
    cross join lateral (select l.id, q.place::integer as question from fairway.lanes l
      where l.orig_code = q.origin and l.dest_code = q.destination offset 0) l`;
const rollupsOfLane = `${askedLanes} cross join lateral (select r.month, r.payload from fairway.rollups r
      where r.lane = l.id and r.month between q.from_month and q.to_month offset 0) r`;
const segmentsOfLane = (attempts: string): string =>
  `${askedLanes} cross join lateral (select s.first_day, s.format, s.payload from fairway.segments s
      where s.lane = l.id and s.attempt = ${attempts}
      and s.last_day >= date '1970-01-01' + q.from_day and s.first_day <= date '1970-01-01' + q.to_day offset 0) s`;

/**
 * The totals of any number of lanes, each for its range of days, in one statement and so one snapshot. A lane's month
 * is one row of about 150 bytes, whatever the number of items and batches behind it (docs/decisions/0003-rollups.md).
 * Without `changes` the whole answer only where nothing came since the rollups; with them always.
 */
export const totalsOfLanes = (questions: readonly LaneDays[], changes: boolean): QueryConfig => ({
  name: changes ? 'totals-and-changes' : 'totals',
  text: changes ? lanesWithChanges : revisions + rollups(rollupsOfLane),
  values: [
    questions.map(({ origin }) => origin),
    questions.map(({ destination }) => destination),
    questions.map(({ fromMonth }) => fromMonth),
    questions.map(({ toMonth }) => toMonth),
    ...(changes ? [questions.map(({ from }) => from), questions.map(({ to }) => to)] : [[], []]),
  ],
});

const lanesWithChanges =
  revisions + rollups(rollupsOfLane) + segments(1, segmentsOfLane(came)) + segments(-1, segmentsOfLane(went));

const lanesBetween = `any (array(select l.id from fairway.lanes l
      where l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and l.orig_code <> l.dest_code))`;
const one = 'cross join (select 1 as question) n';
const rollupsBetween = `fairway.rollups r ${one} where r.lane = ${lanesBetween} and r.month between $3 and $4`;
const segmentsBetween = (attempts: string): string =>
  `fairway.segments s ${one} where s.lane = ${lanesBetween} and s.attempt = ${attempts}
      and s.last_day >= date '1970-01-01' + $5::integer and s.first_day <= date '1970-01-01' + $6::integer`;

/** The same for all lanes between two sets of ports; they all are question 1. */
export const totalsBetween = (
  { origins, destinations }: Lanes,
  days: DayRange,
  changes: boolean,
): QueryConfig => ({
  name: changes ? 'totals-between-and-changes' : 'totals-between',
  text: changes ? betweenWithChanges : revisions + rollups(rollupsBetween),
  values: [origins, destinations, days.fromMonth, days.toMonth, ...(changes ? [days.from, days.to] : [])],
});

const betweenWithChanges =
  revisions +
  rollups(rollupsBetween) +
  segments(1, segmentsBetween(came)) +
  segments(-1, segmentsBetween(went));
