/** Rates between places: in go two ends and a range of days, out come a rate per day and the revision they hold at. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, ReadOptions } from '../database/database.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import { firstDayOf, rollupMonth, unpackRollup } from '../rollup.js';
import { unpackItems } from '../segment.js';
import type { PlaceSource } from './place-source.js';
import type { Places } from './places.js';
import {
  rollupsAndChanges,
  rollupsOfLanes,
  type ChangedRow,
  type DayRange,
  type Lanes,
  type RollupRow,
} from './sql.js';

/** Fewer items than this behind a day: its price stays null. The original service's rule; it also keeps one supplier's price from another. */
export const fewestItems = 3;

/** Bytes of payload that are added up before other requests get their turn: about a millisecond's work. */
const bytesPerTurn = 1 << 18;

/** One end of a lane: a port that need not exist, or the name of a place that must: a port's code or a region's slug. */
export type End = { port: string } | { place: string; parameter: string };

export interface RatesQuestion {
  origin: End;
  destination: End;
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
}

/** What the items of each day add up to. */
export interface DayTotals {
  /** Day of index 0, since 1970-01-01. */
  from: number;
  counts: Float64Array;
  sums: Float64Array;
}

export interface RatesAnswer {
  revision: number;
  /** The revision that rollups stand for; behind `revision`, the answer took more work. */
  rolled: number;
  totals: DayTotals;
}

export interface RatesSource {
  database: Database;
  places: PlaceSource;
  /** Whether the rollups were behind when last seen: then what came since is asked for at once. */
  behind: boolean;
}

/**
 * The rate is over all items of all lanes meant, each lane once; from a port to itself only where both ends were given
 * as ports of old. Throws `place_unknown` with near matches.
 */
export async function ratesBetween(
  source: RatesSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<RatesAnswer> {
  const rows = await readRows(source, question, options);
  const [first] = rows;
  return {
    revision: Number(first?.revision ?? 0),
    rolled: Number(first?.rolled_revision ?? 0),
    totals: await addUp(rows, question),
  };
}

async function readRows(
  source: RatesSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<(RollupRow | ChangedRow)[]> {
  const { origin, destination } = question;
  const days = daysOf(question);
  if ('port' in origin && 'port' in destination) {
    const lanes = { origins: [origin.port], destinations: [destination.port], toItself: true };
    return readLanes(source, lanes, days, options);
  }
  let places = await source.places.known(options);
  if (unknownEnds(places, question).length > 0) {
    // Said only after a look at the tree as it is now: the place may be new.
    ({ places } = await source.places.now(options));
    const faults = unknownEnds(places, question);
    if (faults.length > 0) throw unknown(faults);
  }
  for (let tries = 0; tries < 5; tries++) {
    const [origins, destinations] = [portsOf(places, origin) ?? [], portsOf(places, destination) ?? []];
    const rows = await readLanes(source, { origins, destinations, toItself: false }, days, options);
    const current = Number(rows[0]?.places_revision ?? 0);
    if (current === places.revision) return rows;
    // The places changed between the tree and the snapshot: once more, with the tree of now.
    places = await source.places.atLeast(current, options);
  }
  throw new FairwayError('overloaded', 'ports and regions are changing just now; try again in a moment');
}

/** Where nothing came since the rollups, which is nearly always, they are the whole answer. */
async function readLanes(
  source: RatesSource,
  lanes: Lanes,
  days: DayRange,
  options: ReadOptions,
): Promise<(RollupRow | ChangedRow)[]> {
  if (!source.behind) {
    const rows = await source.database.read<RollupRow>(rollupsOfLanes(lanes, days), options);
    if (rows[0]?.revision === rows[0]?.rolled_revision) return rows;
  }
  const rows = await source.database.read<ChangedRow>(rollupsAndChanges(lanes, days), options);
  source.behind = rows[0]?.revision !== rows[0]?.rolled_revision;
  return rows;
}

/** Items end in 2058, and PostgreSQL's dates need not cope with the days of the year 9999. */
function daysOf(question: RatesQuestion): DayRange {
  const from = Math.min(Math.max(question.from, firstItemDay), lastItemDay);
  const to = Math.max(from, Math.min(question.to, lastItemDay));
  return { from, to, fromMonth: rollupMonth(from), toMonth: rollupMonth(to) };
}

const portsOf = (places: Places, end: End): readonly string[] | undefined =>
  'port' in end ? [end.port] : places.portsOf(end.place);

const unknownEnds = (places: Places, { origin, destination }: RatesQuestion): ParameterFault[] =>
  [origin, destination].flatMap((end) => {
    if ('port' in end || places.portsOf(end.place) !== undefined) return [];
    return [
      {
        parameter: end.parameter,
        message: `there is no port or region '${end.place}'`,
        expected: 'the code of a port or the slug of a region; /ports and /regions list them',
        value: end.place,
        suggestions: places.near(end.place),
      },
    ];
  });

function unknown(faults: ParameterFault[]): FairwayError {
  const sentences = faults.map(({ message, suggestions = [] }) => {
    const names = suggestions.map(({ code, name }) => `${code} (${name})`).join(', ');
    return names === '' ? message : `${message}; did you mean ${names}?`;
  });
  return new FairwayError('place_unknown', sentences.join('; '), { faults });
}

async function addUp(
  rows: readonly (RollupRow | ChangedRow)[],
  { from, to }: RatesQuestion,
): Promise<DayTotals> {
  const length = Math.max(0, to - from + 1);
  const totals = { from, counts: new Float64Array(length), sums: new Float64Array(length) };
  let bytes = 0;
  for (const row of rows) {
    if (row.payload === null) continue;
    addRow(totals, row, row.payload);
    bytes += row.payload.length;
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await nextTurn();
  }
  return totals;
}

function addRow({ from, counts, sums }: DayTotals, row: RollupRow | ChangedRow, payload: Buffer): void {
  const add = (index: number, count: number, sum: number): void => {
    if (index < 0 || index >= counts.length) return;
    counts[index] = (counts[index] ?? 0) + count;
    sums[index] = (sums[index] ?? 0) + sum;
  };
  if (row.month !== null) {
    const shift = firstDayOf(row.month) - from;
    unpackRollup(payload, (day, count, sum) => add(shift + day, count, sum));
  } else if ('change' in row && row.first_day !== null) {
    const shift = row.first_day - from;
    const change = row.change ?? 0;
    unpackItems(row.format ?? 0, payload, (offset, price) => add(shift + offset, change, change * price));
  }
}

const dayTexts = new Map<number, string>();

/** Text of a day; those that items can have are kept, at most 32,507 of them. */
function dayText(day: number): string {
  let text = dayTexts.get(day);
  if (text !== undefined) return text;
  text = formatDay(day);
  if (day >= firstItemDay && day <= lastItemDay) dayTexts.set(day, text);
  return text;
}

/**
 * The answer as JSON, days descending: `count` null for none; `price` the sum over the count in double precision, null
 * below `fewestItems`. Joined at the end: a text added up piece by piece is flattened anew each time it is sent.
 */
export function renderRates({ from, counts, sums }: DayTotals): string {
  const days: string[] = [];
  for (let index = counts.length - 1; index >= 0; index--) {
    const count = counts[index] ?? 0;
    const price = count < fewestItems ? 'null' : String((sums[index] ?? 0) / count);
    days.push(`{"count":${count === 0 ? 'null' : count},"day":"${dayText(from + index)}","price":${price}}`);
  }
  return `{"rates":[${days.join(',')}]}`;
}
