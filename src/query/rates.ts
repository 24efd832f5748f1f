/** Rates between places: in go two ends and a range of days, out come a rate per day and the revision they hold at. */
import type { Database, ReadOptions } from '../database/database.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import { rollupMonth } from '../rollup.js';
import { LaneReader, revisionsOf, type Totals } from './lane-reader.js';
import { PlaceSource } from './place-source.js';
import type { Places } from './places.js';
import { totalsBetween, type DayRange, type TotalsRow } from './sql.js';
import { addUp, type DayTotals } from './totals.js';

/** Fewer items than this behind a day: its price stays null. The original service's rule; it also keeps one supplier's price from another. */
export const fewestItems = 3;

/** One end of a lane: a port that need not exist, or the name of a place that must: a port's code or a region's slug. */
export type End = { port: string } | { place: string; parameter: string };

export interface RatesQuestion {
  origin: End;
  destination: End;
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
  /** The answer must be of this revision or a later one. */
  minRevision?: number;
}

export interface RatesAnswer {
  revision: number;
  /** The revision that rollups stand for; behind `revision`, the answer took more work. */
  rolled: number;
  totals: DayTotals;
}

/** What answers are made from. */
export class RatesSource {
  readonly places: PlaceSource;
  readonly lanes: LaneReader;

  constructor(readonly database: Database) {
    this.places = new PlaceSource(database);
    this.lanes = new LaneReader(database);
  }
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
  const { revision, rolled, rows } = await readTotals(source, question, options);
  if (question.minRevision !== undefined && question.minRevision > revision)
    throw notThereYet(question.minRevision, revision);
  const totals = addUp(rows, question);
  return { revision, rolled, totals: totals instanceof Promise ? await totals : totals };
}

/** What is read is the newest there is: a later revision was never given to anybody. */
const notThereYet = (wanted: number, newest: number): FairwayError =>
  new FairwayError('invalid_parameter', `min_revision: there is no revision ${wanted} yet`, {
    faults: [
      {
        parameter: 'min_revision',
        message: `there is no revision ${wanted} yet`,
        expected: `a revision that an answer named; the newest is ${newest}`,
        value: String(wanted),
      },
    ],
  });

function readTotals(source: RatesSource, question: RatesQuestion, options: ReadOptions): Promise<Totals> {
  const { origin, destination } = question;
  if (!('port' in origin && 'port' in destination)) return readPlaces(source, question, options);
  const lane = { origin: origin.port, destination: destination.port, ...daysOf(question) };
  return source.lanes.read(lane, options);
}

async function readPlaces(
  source: RatesSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<Totals> {
  const { origin, destination } = question;
  const days = daysOf(question);
  let places = await source.places.known(options);
  if (unknownEnds(places, question).length > 0) {
    // Said only after a look at the tree as it is now: the place may be new.
    ({ places } = await source.places.now(options));
    const faults = unknownEnds(places, question);
    if (faults.length > 0) throw unknown(faults);
  }
  for (let tries = 0; tries < 5; tries++) {
    const [origins, destinations] = [portsOf(places, origin) ?? [], portsOf(places, destination) ?? []];
    const totals = await readBetween(source, origins, destinations, days, options);
    if (totals.places === places.revision) return totals;
    // The places changed between the tree and the snapshot: once more, with the tree of now.
    places = await source.places.atLeast(totals.places, options);
  }
  throw new FairwayError('overloaded', 'ports and regions are changing just now; try again in a moment');
}

async function readBetween(
  source: RatesSource,
  origins: readonly string[],
  destinations: readonly string[],
  days: DayRange,
  options: ReadOptions,
): Promise<Totals> {
  const [origin, destination] = [origins[0], destinations[0]];
  const single = origins.length === 1 && destinations.length === 1 && origin !== destination;
  if (single && origin !== undefined && destination !== undefined)
    return source.lanes.read({ origin, destination, ...days }, options);
  const ask = (changes: boolean) =>
    source.database.read<TotalsRow>(totalsBetween({ origins, destinations }, days, changes), options);
  let rows = await ask(false);
  if (rows[0]?.revision !== rows[0]?.rolled_revision) rows = await ask(true);
  return { ...revisionsOf(rows[0]), rows };
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
