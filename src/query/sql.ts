/** The statements of queries. */
import type { QueryConfig } from 'pg';
import { aroundRollups, came, packedSegments, sinceRollups, went, type Between } from './changes/sql.js';
import type { Runs } from './changes/runs.js';
import { numbers, texts } from './rollup/payloads.js';

export interface HeadRow {
  revision: string;
  /** Newest revision that changed places. */
  places_revision: string;
}

export interface OldestRow {
  /** The oldest revision that can still be asked about: of those before, items may be gone. */
  oldest_revision: string;
}

export const oldestRevision = '(select history_from from fairway.retention)';

export const headOf: QueryConfig = {
  name: 'head',
  text: `select h.revision, h.places_revision, ${oldestRevision} as oldest_revision from fairway.head h`,
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

/** A rollup or a segment, to be added up. */
export interface SummedRow {
  /** Of a rollup, since 1970-01. */
  month: number | null;
  /** Of a segment: 1 for what the rollups lack at the revision asked for, -1 for what they have too much. */
  change: number | null;
  /** Of a segment, since 1970-01-01. */
  first_day: number | null;
  format: number | null;
  payload: Buffer | null;
  /** Segments of a lane, as `ChangedLanesRow` has them: an object each took a third of the client's time. All else is null then. */
  segments?: Buffer;
}

/** The first row has the revisions and nothing else. */
export interface TotalsRow extends SummedRow {
  revision: string | null;
  places_revision: string | null;
  /** The revision that rollups stand for. Where it is not `revision`, they are not the whole answer. */
  rolled_revision: string | null;
  /** Told of a revision in the past alone. */
  oldest_revision: string | null;
}

const revisions = (
  oldest: string,
): string => `select h.revision, h.places_revision, w.revision as rolled_revision, ${oldest} as oldest_revision,
      null::smallint as month, null::integer as change, null::integer as first_day, null::smallint as format, null::bytea as payload
    from fairway.head h, fairway.rollup_state w`;

const rollups = (from: string): string => `
    union all select null, null, null, null, r.month, null, null, null, r.payload from ${from}`;

const segments = (change: string, from: string): string => `
    union all select null, null, null, null, null, ${change}, s.first_day - date '1970-01-01', s.format, s.payload from ${from}`;

type SegmentsOf = (attempts: string) => string;
const changes = (between: Between, segmentsOf: SegmentsOf): string =>
  segments(between.direction, segmentsOf(came(between))) +
  segments(`-(${between.direction})`, segmentsOf(went(between)));

/** `offset 0` keeps the subqueries as they are: each question finds its lane and rows over the indexes. Left to itself PostgreSQL, which expects ten questions, reads all lanes and hashes them (150 µs instead of 50 for one question). */
export const laneOfQuestion = `lateral (select l.id, q.place::integer as question from fairway.lanes l
      where l.orig_code = q.origin and l.dest_code = q.destination offset 0) l`;

/** Only of the past is the oldest revision of interest, and the statements of now are the hottest. */
const revisionsNow = revisions('null::bigint');
const revisionsPast = revisions(oldestRevision);

/**
 * Which totals are meant: `rolled` those of the rollups, the whole answer only where nothing came since; `now` those of
 * the newest revision; a number those of that revision, before or after the rollups.
 */
export type Moment = 'rolled' | 'now' | number;

/** Statements by moment: each its own name, or a generic plan would have to fit all. */
const choose = (name: string, at: Moment, texts: { rolled: string; now: string; at: string }) =>
  at === 'rolled'
    ? { name, text: texts.rolled }
    : at === 'now'
      ? { name: `${name}-and-changes`, text: texts.now }
      : { name: `${name}-at`, text: texts.at };

const lanesAndMonths = (questions: readonly LaneDays[]): string[] => [
  texts(questions.map(({ origin }) => origin)),
  texts(questions.map(({ destination }) => destination)),
  numbers(questions.map(({ fromMonth }) => fromMonth)),
  numbers(questions.map(({ toMonth }) => toMonth)),
];

export interface RolledRow extends HeadRow {
  /** The revision that rollups stand for. Where it is not `revision`, they are not the whole answer. */
  rolled_revision: string;
  /**
   * Of each month: question (place from 1, four bytes), month since 1970-01 (two), length (two), the rollup. In base64:
   * hex, as `pg` gets bytea, takes eight times as long to read.
   */
  months: string | null;
}

const packedMonths = (question: string): string =>
  `encode(string_agg(int8send((${question}::bigint << 32) | (r.month::bigint << 16) | length(r.payload)) || r.payload, ''::bytea), 'base64')`;

const rolledText = `select h.revision, h.places_revision, w.revision as rolled_revision,
    (select ${packedMonths('l.question')}
      from unnest($1::text[], $2::text[], $3::smallint[], $4::smallint[])
        with ordinality as q (origin, destination, from_month, to_month, place)
      cross join ${laneOfQuestion}
      cross join lateral (select r.month, r.payload from fairway.rollups r
        where r.lane = l.id and r.month between q.from_month and q.to_month offset 0) r) as months
  from fairway.head h, fairway.rollup_state w`;

/** What the rollups have of any number of lanes, in one row: a row costs `pg` and this process more than it costs PostgreSQL. */
export const rolledLanes = (questions: readonly LaneDays[]): QueryConfig => ({
  name: 'rolled-lanes',
  text: rolledText,
  values: lanesAndMonths(questions),
});

/** Of each question. */
export interface ChangedLanesRow extends RolledRow {
  /** Place from 1. */
  question: number;
  /** Told of a revision in the past alone. */
  oldest_revision: string | null;
  /** Of each segment: change (1 or -1, two bytes), first day (two), format (two), length (two), the payload of at least the days asked for. In base64. */
  segments: string | null;
  /** Attempts that came since the rollups, and those that went, as PostgreSQL writes arrays. Told of now alone, with the first question. */
  came: string | null;
  went: string | null;
}

const changedLanes = (
  segments: string,
  more = '',
): string => `select h.revision, h.places_revision, w.revision as rolled_revision, q.place::integer as question${more},
    (select ${packedMonths('q.place::integer')} from fairway.rollups r
      where r.lane = l.id and r.month between q.from_month and q.to_month) as months,
    (${packedSegments(segments)}) as segments
  from fairway.head h, fairway.rollup_state w,
    unnest($1::text[], $2::text[], $3::smallint[], $4::smallint[], $5::integer[], $6::integer[])
      with ordinality as q (origin, destination, from_month, to_month, from_day, to_day, place)
    left join ${laneOfQuestion} on true`;

const segmentsOfLane = (
  change: string,
  attempts: string,
): string => `select (${change})::smallint as change, s.first_day, s.items, s.format, s.payload
      from fairway.segments s where s.lane = l.id and s.attempt ${attempts}
      and s.last_day >= date '1970-01-01' + q.from_day and s.first_day <= date '1970-01-01' + q.to_day`;
const cameAndWent = ({ direction }: Between): string =>
  `${segmentsOfLane(direction, '= any ((select came from lists)::bigint[])')}
    union all ${segmentsOfLane(`-(${direction})`, '= any ((select went from lists)::bigint[])')}`;
const lists = (between: Between): string =>
  `with lists as materialized (select ${came(between)} as came, ${went(between)} as went) `;

const ofFirst = (column: string): string =>
  `, case when q.place = 1 then (select ${column} from lists)::text end as ${column}`;
const lanesNow =
  lists(sinceRollups) + changedLanes(cameAndWent(sinceRollups), ofFirst('came') + ofFirst('went'));
const lanesAt =
  lists(aroundRollups) + changedLanes(cameAndWent(aroundRollups), `, ${oldestRevision} as oldest_revision`);
/**
 * The upper end of a run is that of a row, which the index of attempts cannot serve. `between` it can, and PostgreSQL 18,
 * which expects to skip from day to day in the index of lanes, may take it and read all segments of the run (0.3 s a
 * question after 1,000 batches). The lower end as a row would not begin the scan (docs/decisions/0003-rollups.md).
 */
const lanesKnown = changedLanes(`select k.change, s.first_day, s.items, s.format, s.payload
      from unnest($7::bigint[], $8::bigint[], $9::smallint[]) as k (first, last, change)
      cross join lateral (${segmentsOfLane('k.change', '>= k.first and (s.lane, s.attempt) <= (l.id, k.last)')} offset 0) s`);

/**
 * The totals of any number of lanes, each for its range of days, in one statement and so one snapshot, a row each. A lane's
 * month is about 150 bytes, whatever the number of items and batches behind it (docs/decisions/0003-rollups.md).
 * With `Runs`, of the attempts that are in them, which whoever asks compares with the revisions it gets.
 */
export const totalsOfLanes = (questions: readonly LaneDays[], at: 'now' | number | Runs): QueryConfig => {
  const values: unknown[] = [
    ...lanesAndMonths(questions),
    numbers(questions.map(({ from }) => from)),
    numbers(questions.map(({ to }) => to)),
  ];
  if (at === 'now') return { name: 'totals-and-changes', text: lanesNow, values };
  if (typeof at === 'number') return { name: 'totals-at', text: lanesAt, values: [...values, at] };
  const { first, last, change } = at;
  return {
    name: 'totals-and-known-changes',
    text: lanesKnown,
    values: [...values, numbers(first), numbers(last), numbers(change)],
  };
};

const lanesBetween = `any (array(select l.id from fairway.lanes l
      where l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and l.orig_code <> l.dest_code))`;
const rollupsBetween = `fairway.rollups r where r.lane = ${lanesBetween} and r.month between $3 and $4`;
const segmentsBetween = (attempts: string): string =>
  `fairway.segments s where s.lane = ${lanesBetween} and s.attempt = any (${attempts})
      and s.last_day >= date '1970-01-01' + $5::integer and s.first_day <= date '1970-01-01' + $6::integer`;

const betweenRolled = revisionsNow + rollups(rollupsBetween);
const betweenNow = betweenRolled + changes(sinceRollups, segmentsBetween);
const betweenAt = revisionsPast + rollups(rollupsBetween) + changes(aroundRollups, segmentsBetween);

/** The same for all lanes between two sets of ports; they all are question 1. */
export const totalsBetween = ({ origins, destinations }: Lanes, days: DayRange, at: Moment): QueryConfig => ({
  ...choose('totals-between', at, { rolled: betweenRolled, now: betweenNow, at: betweenAt }),
  values: [
    origins,
    destinations,
    days.fromMonth,
    days.toMonth,
    ...(at === 'rolled' ? [] : [days.from, days.to]),
    ...(typeof at === 'number' ? [at] : []),
  ],
});

/** Two regions, as region_rollups has them, at a revision of the tree of places. */
export interface PairOfPlaces {
  origin: string;
  destination: string;
  places: number;
}

/** As `revisions`; without a rolled revision where rollups between places stand for another tree. */
const revisionsOfTree = (places: string, usual = revisionsNow): string =>
  usual.replace(
    'w.revision as rolled_revision',
    `case when w.places_revision = ${places}::bigint then w.revision end as rolled_revision`,
  );
const rollupsOfPair = (origin: string, destination: string): string =>
  rollups(
    `fairway.region_rollups r where r.origin = ${origin} and r.destination = ${destination} and r.month between $3 and $4`,
  );
const pairRolled = revisionsOfTree('$5') + rollupsOfPair('$1', '$2');
const pairNow = revisionsOfTree('$9') + rollupsOfPair('$7', '$8') + changes(sinceRollups, segmentsBetween);
const pairAt =
  revisionsOfTree('$10', revisionsPast) + rollupsOfPair('$8', '$9') + changes(aroundRollups, segmentsBetween);

/** The totals between two places from their own rollups: a row a month, whatever the number of lanes. */
export const totalsOfPair = (
  { origin, destination, places }: PairOfPlaces,
  { origins, destinations }: Lanes,
  days: DayRange,
  at: Moment,
): QueryConfig => ({
  ...choose('totals-of-pair', at, { rolled: pairRolled, now: pairNow, at: pairAt }),
  values:
    at === 'rolled'
      ? [origin, destination, days.fromMonth, days.toMonth, places]
      : [
          origins,
          destinations,
          days.fromMonth,
          days.toMonth,
          days.from,
          days.to,
          ...(typeof at === 'number' ? [at] : []),
          origin,
          destination,
          places,
        ],
});
