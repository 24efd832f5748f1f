/** Rates between places: in go two ends and a range of days, out come a rate per day and the revision they hold at. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueryConfig } from 'pg';
import type { Database, ReadOptions } from '../database/database.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import { unpackItems } from '../segment.js';
import type { PlaceSource } from './place-source.js';
import type { Places } from './places.js';
import { segmentsOfLane, segmentsOfLanes, type SegmentRow } from './sql.js';

/** Fewer items than this behind a day: its price stays null. The original service's rule; it also keeps one supplier's price from another. */
export const fewestItems = 3;

/** Bytes of segments that are added up before other requests get their turn: about a millisecond's work. */
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

/** What the items of one day add up to. */
export interface DayTotals {
  /** Day of index 0, since 1970-01-01. */
  from: number;
  counts: Float64Array;
  sums: Float64Array;
}

export interface RatesAnswer {
  revision: number;
  totals: DayTotals;
}

/**
 * The rate is over all items of all lanes meant, each lane once; from a port to itself only where both ends were given
 * as ports of old. Throws `place_unknown` with near matches.
 */
export async function ratesBetween(
  database: Database,
  source: PlaceSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<RatesAnswer> {
  const rows = await readSegments(database, source, question, options);
  return { revision: Number(rows[0]?.revision ?? 0), totals: await addUp(rows, question) };
}

async function readSegments(
  database: Database,
  source: PlaceSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<SegmentRow[]> {
  const { origin, destination } = question;
  // Items end in 2058, and PostgreSQL's dates need not cope with the days of the year 9999.
  const from = Math.max(question.from, firstItemDay);
  const to = Math.max(from, Math.min(question.to, lastItemDay));
  if ('port' in origin && 'port' in destination)
    return database.read<SegmentRow>(segmentsOfLane(origin.port, destination.port, from, to), options);
  let places = await source.known(options);
  if (unknownEnds(places, question).length > 0) {
    // Said only after a look at the tree as it is now: the place may be new.
    ({ places } = await source.now(options));
    const faults = unknownEnds(places, question);
    if (faults.length > 0) throw unknown(faults);
  }
  for (let tries = 0; tries < 5; tries++) {
    const statement = statementFor(places, question, from, to);
    const rows = await database.read<SegmentRow>(statement, options);
    const current = Number(rows[0]?.places_revision ?? 0);
    if (current === places.revision) return rows;
    // The places changed between the tree and the snapshot: once more, with the tree of now.
    places = await source.atLeast(current, options);
  }
  throw new FairwayError('overloaded', 'ports and regions are changing just now; try again in a moment');
}

function statementFor(
  places: Places,
  { origin, destination }: RatesQuestion,
  from: number,
  to: number,
): QueryConfig {
  const origins = portsOf(places, origin) ?? [];
  const destinations = portsOf(places, destination) ?? [];
  const [first = ''] = origins;
  const [second = ''] = destinations;
  if (origins.length === 1 && destinations.length === 1 && first !== second)
    return segmentsOfLane(first, second, from, to);
  return segmentsOfLanes(origins, destinations, from, to);
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

async function addUp(rows: readonly SegmentRow[], { from, to }: RatesQuestion): Promise<DayTotals> {
  const length = Math.max(0, to - from + 1);
  const counts = new Float64Array(length);
  const sums = new Float64Array(length);
  let bytes = 0;
  for (const { first_day: firstDay, format, payload } of rows) {
    if (firstDay === null || format === null || payload === null) continue;
    const shift = firstDay - from;
    unpackItems(format, payload, (dayOffset, price) => {
      const index = shift + dayOffset;
      if (index < 0 || index >= length) return;
      counts[index] = (counts[index] ?? 0) + 1;
      sums[index] = (sums[index] ?? 0) + price;
    });
    bytes += payload.length;
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await nextTurn();
  }
  return { from, counts, sums };
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
 * below `fewestItems`. Written by hand: JSON.stringify of objects takes three times as long (bench/read).
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
