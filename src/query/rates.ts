/** Rates between places: in go two ends and a range of days, out come a rate per day and the revision they hold at. */
import type { Database, ReadOptions } from '../database/database.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import { rollupMonth } from '../rollup.js';
import { atRevision, checkKept, checkReached } from './at-revision.js';
import { LaneReader, revisionsOf, type Totals } from './lane-reader.js';
import { PlaceSource } from './place-source.js';
import type { Places } from './places.js';
import { totalsBetween, type DayRange, type Lanes, type Moment, type TotalsRow } from './sql.js';
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
  /** The answer is as it was at this revision: of its items, its places and their names. */
  asOf?: number;
}

export interface RatesAnswer {
  /** The revision it belongs to. */
  revision: number;
  /** The newest revision of the snapshot it was read in. */
  newest: number;
  /** The revision that rollups stand for; behind `newest`, the answer took more work. */
  rolled: number;
  totals: DayTotals;
}

/** What answers are made from: the node that is asked first, and the primary, which has every revision before it. */
export class RatesSource {
  readonly places: PlaceSource;
  readonly lanes: LaneReader;
  readonly primary: RatesSource;

  constructor(
    readonly database: Database,
    primary = database,
  ) {
    this.places = new PlaceSource(database);
    this.lanes = new LaneReader(database);
    this.primary = primary === database ? this : new RatesSource(primary);
  }
}

/**
 * The rate is over all items of all lanes meant, each lane once; from a port to itself only where both ends were given
 * as ports of old. Throws `place_unknown` with near matches, `revision_gone`, `revision_not_here`.
 */
export function ratesBetween(
  source: RatesSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<RatesAnswer> {
  return atRevision(source, options, (node) => readRates(node, question, options));
}

async function readRates(
  node: RatesSource,
  question: RatesQuestion,
  options: ReadOptions,
): Promise<RatesAnswer> {
  const { asOf } = question;
  const { revision: newest, rolled, oldest, rows } = await readTotals(node, question, options);
  checkReached(newest, wantedBy(question));
  checkKept(asOf, oldest);
  const totals = addUp(rows, question);
  return {
    revision: asOf ?? newest,
    newest,
    rolled,
    totals: totals instanceof Promise ? await totals : totals,
  };
}

/** The tree of places as of a revision, or of now. Throws as `ratesBetween` does. */
export const placesFor = (
  source: RatesSource,
  { asOf, minRevision }: Pick<RatesQuestion, 'asOf' | 'minRevision'>,
  options: ReadOptions,
): Promise<{ places: Places; revision: number }> =>
  atRevision(source, options, async ({ places }) => {
    if (asOf !== undefined) {
      await places.check(asOf, options);
      return { places: await places.at(asOf, options), revision: asOf };
    }
    const now = await places.now(options);
    checkReached(now.revision, { min_revision: minRevision });
    return now;
  });

const wantedBy = ({ minRevision, asOf }: RatesQuestion) => ({ min_revision: minRevision, as_of: asOf });

function readTotals(node: RatesSource, question: RatesQuestion, options: ReadOptions): Promise<Totals> {
  const { origin, destination, asOf } = question;
  if (!('port' in origin && 'port' in destination))
    return asOf === undefined
      ? readPlaces(node, question, options)
      : readPlacesAt(node, question, asOf, options);
  const lane = { origin: origin.port, destination: destination.port, ...daysOf(question) };
  return node.lanes.read(lane, options, asOf);
}

/** A tree of the past never changes, so it need not be compared with the snapshot of the totals. */
async function readPlacesAt(
  node: RatesSource,
  question: RatesQuestion,
  asOf: number,
  options: ReadOptions,
): Promise<Totals> {
  const places = await node.places.at(asOf, options);
  const faults = unknownEnds(places, question);
  if (faults.length > 0) {
    await node.places.check(asOf, options);
    throw unknown(faults);
  }
  return readBetween(node, portsOfEnds(places, question), daysOf(question), options, asOf);
}

async function readPlaces(node: RatesSource, question: RatesQuestion, options: ReadOptions): Promise<Totals> {
  let places = await node.places.known(options);
  if (unknownEnds(places, question).length > 0) {
    // Said only after a look at the tree as it is now: the place may be new, or known where revisions come first.
    const now = await node.places.now(options);
    checkReached(now.revision, wantedBy(question));
    places = now.places;
    const faults = unknownEnds(places, question);
    if (faults.length > 0) throw unknown(faults);
  }
  for (let tries = 0; tries < 5; tries++) {
    const totals = await readBetween(node, portsOfEnds(places, question), daysOf(question), options);
    if (totals.places === places.revision) return totals;
    // The places changed between the tree and the snapshot: once more, with the tree of now.
    places = await node.places.atLeast(totals.places, options);
  }
  throw new FairwayError('overloaded', 'ports and regions are changing just now; try again in a moment');
}

async function readBetween(
  { lanes, database }: RatesSource,
  { origins, destinations }: Lanes,
  days: DayRange,
  options: ReadOptions,
  asOf?: number,
): Promise<Totals> {
  const [origin, destination] = [origins[0], destinations[0]];
  const single = origins.length === 1 && destinations.length === 1 && origin !== destination;
  if (single && origin !== undefined && destination !== undefined)
    return lanes.read({ origin, destination, ...days }, options, asOf);
  const ask = (at: Moment) =>
    database.read<TotalsRow>(totalsBetween({ origins, destinations }, days, at), options);
  let rows = await ask(asOf ?? 'rolled');
  if (asOf === undefined && rows[0]?.revision !== rows[0]?.rolled_revision) rows = await ask('now');
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

const portsOfEnds = (places: Places, { origin, destination }: RatesQuestion): Lanes => ({
  origins: portsOf(places, origin) ?? [],
  destinations: portsOf(places, destination) ?? [],
});

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

const priceText = (count: number, sum: number): string =>
  count < fewestItems ? 'null' : String(sum / count);

/** Count and price of one day as members of a JSON object, as `renderRates` has them. */
export const renderRate = (count: number, sum: number): string =>
  `"count":${count === 0 ? 'null' : count},"price":${priceText(count, sum)}`;

/**
 * The answer as JSON, days descending: `count` null for none; `price` the sum over the count in double precision, null
 * below `fewestItems`. Joined at the end: a text added up piece by piece is flattened anew each time it is sent.
 */
export function renderRates({ from, counts, sums }: DayTotals): string {
  const days: string[] = [];
  for (let index = counts.length - 1; index >= 0; index--) {
    const count = counts[index] ?? 0;
    const price = priceText(count, sums[index] ?? 0);
    days.push(`{"count":${count === 0 ? 'null' : count},"day":"${dayText(from + index)}","price":${price}}`);
  }
  return `{"rates":[${days.join(',')}]}`;
}
