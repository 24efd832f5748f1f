/** The statements of many questions at once. */
import type { QueryConfig } from 'pg';
import { numbers, texts } from '../rollup/payloads.js';
import { laneOfQuestion } from '../sql.js';

/** Lanes and months of as many questions, in columns: an object for each of a thousand is work for the garbage collector. */
export interface LaneColumns {
  origins: string[];
  destinations: string[];
  fromMonths: number[];
  toMonths: number[];
}

export interface RolledMonthsRow {
  /** The revision that rollups stand for. */
  rolled_revision: string;
  /**
   * Of each month: lane (four bytes), then in four bytes the question (eleven bits: its place from 1, 0 where the lane was
   * asked for by its id), the month since 1970-01 (eleven) and the length (ten); then the rollup. In base64, as in `RolledRow`.
   */
  months: string | null;
}

/** A step's questions are 512 at the most, months end with 2058 and a rollup has up to 374 bytes. */
const packed = `encode(string_agg(int8send((r.lane::bigint << 32) | (r.question << 21) | (r.month::bigint << 10)
      | length(r.payload)) || r.payload, ''::bytea), 'base64')`;

const monthsOf = (rows: string): string => `select w.revision as rolled_revision,
    (select ${packed} from (${rows}) r) as months
  from fairway.rollup_state w`;

/** A range of months, of a question each or of all. */
type Between = { from: string; to: string };
const ofAll: Between = { from: '$2::smallint', to: '$3::smallint' };
const ofEach: Between = { from: 'q.from_month', to: 'q.to_month' };

/** `offset 0`: as for `laneOfQuestion`. */
const rollupsOf = (lane: string, { from, to }: Between): string => `lateral (select r.month, r.payload
      from fairway.rollups r where r.lane = ${lane} and r.month between ${from} and ${to} offset 0) r`;

const byName = (names: string, between: Between): string => `
    union all select l.id, l.question::bigint, r.month, r.payload
    from ${names} cross join ${laneOfQuestion} cross join ${rollupsOf('l.id', between)}`;

const sameText = monthsOf(
  `select r.lane, 0::bigint as question, r.month, r.payload from fairway.rollups r
    where r.lane = any ($1::integer[]) and r.month between ${ofAll.from} and ${ofAll.to}` +
    byName('unnest($4::text[], $5::text[]) with ordinality as q (origin, destination, place)', ofAll),
);

const eachText = monthsOf(
  `select q.lane, 0::bigint as question, r.month, r.payload
    from unnest($1::integer[], $2::smallint[], $3::smallint[]) as q (lane, from_month, to_month)
    cross join ${rollupsOf('q.lane', ofEach)}` +
    byName(
      `unnest($4::text[], $5::text[], $6::smallint[], $7::smallint[])
        with ordinality as q (origin, destination, from_month, to_month, place)`,
      ofEach,
    ),
);

/** Lanes whose ids are known. */
export interface KnownLanes extends Pick<LaneColumns, 'fromMonths' | 'toMonths'> {
  ids: number[];
}

const months = ({ fromMonths, toMonths }: Pick<LaneColumns, 'fromMonths' | 'toMonths'>): string[] => [
  numbers(fromMonths),
  numbers(toMonths),
];
const names = ({ origins, destinations }: LaneColumns): string[] => [texts(origins), texts(destinations)];

/** What the rollups have of any number of lanes, each for its own months, in one row. */
export const monthsOfLanes = (known: KnownLanes, named: LaneColumns): QueryConfig => ({
  name: 'months-of-lanes',
  text: eachText,
  values: [numbers(known.ids), ...months(known), ...names(named), ...months(named)],
});

/** The same where all are about the same months: one walk along the index. */
export const sameMonthsOfLanes = (
  known: KnownLanes,
  named: LaneColumns,
  from: number,
  to: number,
): QueryConfig => ({
  name: 'same-months-of-lanes',
  text: sameText,
  values: [numbers(known.ids), from, to, ...names(named)],
});
