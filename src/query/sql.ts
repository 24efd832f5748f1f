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

/** Lanes a question means: one, or all from one of the origins to one of the destinations except from a port to itself. */
export interface Lanes {
  origins: readonly string[];
  destinations: readonly string[];
  /** A port to itself, asked for as the original service has it, is a lane like any other. */
  toItself: boolean;
}

export interface DayRange {
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
  /** Months since 1970-01 that hold them. */
  fromMonth: number;
  toMonth: number;
}

export interface RollupRow extends HeadRow {
  /** The revision that rollups stand for. Where it is not `revision`, they are not the whole answer. */
  rolled_revision: string;
  month: number | null;
  payload: Buffer | null;
}

const laneOf = (lanes: Lanes): { condition: string; name: string; values: unknown[] } => {
  const [origin] = lanes.origins;
  const [destination] = lanes.destinations;
  const single = lanes.origins.length === 1 && lanes.destinations.length === 1;
  if (single && (lanes.toItself || origin !== destination)) {
    return {
      name: 'lane',
      condition: '= (select l.id from fairway.lanes l where l.orig_code = $1 and l.dest_code = $2)',
      values: [origin, destination],
    };
  }
  return {
    name: 'lanes',
    condition:
      '= any (array(select l.id from fairway.lanes l where l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and l.orig_code <> l.dest_code))',
    values: [lanes.origins, lanes.destinations],
  };
};

/**
 * The rollups of lanes for a range of months, and the revisions they belong to: one statement, so one snapshot. One
 * row with nulls where there is none. A lane's month is one row of about 150 bytes, whatever the number of items and
 * batches behind it (docs/decisions/0003-rollups.md). The whole answer only where nothing came since.
 */
export function rollupsOfLanes(lanes: Lanes, { fromMonth, toMonth }: DayRange): QueryConfig {
  const { name, condition, values } = laneOf(lanes);
  return {
    name: `rollups-of-${name}`,
    text: `select h.revision, h.places_revision, w.revision as rolled_revision, r.month, r.payload
      from fairway.head h cross join fairway.rollup_state w
      left join fairway.rollups r on r.lane ${condition} and r.month between $3 and $4`,
    values: [...values, fromMonth, toMonth],
  };
}

export interface ChangedRow extends RollupRow {
  /** 0 for a rollup; 1 for a segment that came since the rollups, -1 for one that went. */
  change: number | null;
  /** Of a segment, since 1970-01-01. */
  first_day: number | null;
  format: number | null;
}

/** Both bounds, though no revision lies beyond the head: of a range PostgreSQL expects few rows and takes the index, of an open end a third of the table. */
const sinceRollups = (column: string): string =>
  `${column} > (select revision from fairway.rollup_state) and ${column} <= (select revision from fairway.head)`;

/**
 * The same with what came and went since, in one snapshot. The attempts are found first, over the indexes of
 * revisions, and then their segments over (lane, attempt): batches before the rollups' revision are not touched.
 */
export function rollupsAndChanges(lanes: Lanes, days: DayRange): QueryConfig {
  const { name, condition, values } = laneOf(lanes);
  const segments = (change: number, attempts: string): string => `
      select ${change}, null::smallint, s.payload, s.first_day - date '1970-01-01', s.format
      from fairway.segments s where s.lane ${condition} and s.attempt = any (array(
        select b.attempt from fairway.batches b where ${attempts}))
        and s.last_day >= date '1970-01-01' + $5::integer and s.first_day <= date '1970-01-01' + $6::integer`;
  return {
    name: `changes-of-${name}`,
    text: `select h.revision, h.places_revision, w.revision as rolled_revision, x.*
      from fairway.head h cross join fairway.rollup_state w left join (
      select 0 as change, r.month, r.payload, null::integer as first_day, null::smallint as format
      from fairway.rollups r where r.lane ${condition} and r.month between $3 and $4
      union all ${segments(1, `${sinceRollups('b.published_revision')} and b.withdrawn_revision is null`)}
      union all ${segments(-1, `${sinceRollups('b.withdrawn_revision')} and b.published_revision <= (select revision from fairway.rollup_state)`)}
      ) x on true`,
    values: [...values, days.fromMonth, days.toMonth, days.from, days.to],
  };
}
