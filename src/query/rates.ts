/** Rates between places: in go two ends and a range of days, out come a rate per day and the revision they hold at. */
import type { Database } from '../database/database.js';
import { atRevision, checkKept, checkReached } from './at-revision.js';
import { firstItemDay, lastItemDay } from '../days.js';
import { rollupMonth } from '../rollup.js';
import { daysOf, readBetween } from './between.js';
import type { AskOptions } from './cost.js';
import { lanesOf, unknown, unknownEnds, type Ends } from './ends.js';
import { LaneReader, type Totals } from './lane-reader.js';
import { LaneIds } from './many/lane-ids.js';
import { PlaceSource } from './place-source.js';
import type { Places } from './places.js';
import type { Statistic } from './statistics/definitions.js';
import { readStatistics, type DayStatistics } from './statistics/prices.js';
import type { SummedRow } from './sql.js';
import { addUp, type DayTotals } from './totals.js';

export interface RatesQuestion extends Ends {
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
  /** The answer must be of this revision or a later one. */
  minRevision?: number;
  /** The answer is as it was at this revision: of its items, its places and their names. */
  asOf?: number;
  /** Also these of each day's prices. */
  statistics?: readonly Statistic[];
  /** Also all that the rollups have of the lane, which is between two ports and of now. */
  wholeLane?: true;
}

export interface RatesAnswer {
  /** The revision it belongs to. */
  revision: number;
  /** The newest revision of the snapshot it was read in. */
  newest: number;
  /** The revision that rollups stand for; behind `newest`, the answer took more work. */
  rolled: number;
  totals: DayTotals;
  statistics?: DayStatistics;
  /** All that the rollups have of the lane, where that was asked for and they stand for the revision. */
  laneRows?: readonly SummedRow[];
  /** The tree of places that names were found in; none for ports of old, nor for the past. */
  tree?: Places;
}

/** What answers are made from: the node that is asked first, and the primary, which has every revision before it. */
export class RatesSource {
  readonly places: PlaceSource;
  readonly lanes: LaneReader;
  readonly laneIds = new LaneIds();
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
  options: AskOptions,
): Promise<RatesAnswer> {
  return atRevision(source, options, (node) => readRates(node, question, options));
}

async function readRates(
  node: RatesSource,
  question: RatesQuestion,
  options: AskOptions,
): Promise<RatesAnswer> {
  const { asOf } = question;
  const { revision: newest, rolled, oldest, rows, tree } = await readTotals(node, question, options);
  checkReached(newest, wantedBy(question));
  checkKept(asOf, oldest, newest);
  const added = addUp(rows, question);
  const totals = added instanceof Promise ? await added : added;
  const laneRows = question.wholeLane && rolled === newest ? rows : undefined;
  const answer = {
    revision: asOf ?? newest,
    newest,
    rolled,
    totals,
    ...(tree && { tree }),
    ...(laneRows && { laneRows }),
  };
  if (!question.statistics) return answer;
  return { ...answer, statistics: await statisticsOf(node, question, answer, options) };
}

/** At the revision of the totals, so that both are of the same items. */
export async function statisticsOf(
  { places, database }: RatesSource,
  question: RatesQuestion,
  { revision, totals }: Pick<RatesAnswer, 'revision' | 'totals'>,
  options: AskOptions,
): Promise<DayStatistics> {
  const { origin, destination, statistics = [] } = question;
  const toItself = 'port' in origin && 'port' in destination;
  const lanes = toItself
    ? { origins: [origin.port], destinations: [destination.port] }
    : lanesOf(await places.at(revision, options), question);
  return readStatistics(database, statistics, { ...lanes, toItself, revision }, totals, options);
}

type MomentAsked = Pick<RatesQuestion, 'asOf' | 'minRevision'>;

export interface PlacesFound {
  places: Places;
  revision: number;
}

/** The tree of places as of a revision, or of now. Throws as `ratesBetween` does. */
export const placesFor = (
  source: RatesSource,
  moment: MomentAsked,
  options: AskOptions,
): Promise<PlacesFound> => atRevision(source, options, (node) => placesOfNode(node, moment, options));

/** The same of one node. Throws `NotReached`, `revision_gone`. */
export async function placesOfNode(
  { places }: RatesSource,
  { asOf, minRevision }: MomentAsked,
  options: AskOptions,
): Promise<PlacesFound> {
  if (asOf !== undefined) {
    await places.check(asOf, options);
    return { places: await places.at(asOf, options), revision: asOf };
  }
  const now = await places.now(options);
  checkReached(now.revision, { min_revision: minRevision });
  return now;
}

const allMonths = { fromMonth: rollupMonth(firstItemDay), toMonth: rollupMonth(lastItemDay) };

const wantedBy = ({ minRevision, asOf }: RatesQuestion) => ({ min_revision: minRevision, as_of: asOf });

type FoundTotals = Totals & Pick<RatesAnswer, 'tree'>;

function readTotals(node: RatesSource, question: RatesQuestion, options: AskOptions): Promise<FoundTotals> {
  const { origin, destination, asOf } = question;
  if (!('port' in origin && 'port' in destination))
    return asOf === undefined
      ? readPlaces(node, question, options)
      : readPlacesAt(node, question, asOf, options);
  const lane = { origin: origin.port, destination: destination.port, ...daysOf(question) };
  return node.lanes.read(question.wholeLane ? { ...lane, ...allMonths } : lane, options, asOf);
}

/** A tree of the past never changes, so it need not be compared with the snapshot of the totals. */
async function readPlacesAt(
  node: RatesSource,
  question: RatesQuestion,
  asOf: number,
  options: AskOptions,
): Promise<FoundTotals> {
  const tree = await node.places.at(asOf, options);
  const faults = unknownEnds(tree, question, asOf);
  if (faults.length > 0) {
    await node.places.check(asOf, options);
    throw unknown(faults, asOf);
  }
  return { ...(await readBetween(node, lanesOf(tree, question), daysOf(question), options, asOf)), tree };
}

async function readPlaces(
  node: RatesSource,
  question: RatesQuestion,
  options: AskOptions,
): Promise<FoundTotals> {
  let places = await node.places.known(options);
  if (unknownEnds(places, question).length > 0) {
    // Said only after a look at the tree as it is now: the place may be new, or known where revisions come first.
    const now = await node.places.now(options);
    checkReached(now.revision, wantedBy(question));
    places = now.places;
    const faults = unknownEnds(places, question);
    if (faults.length > 0) throw unknown(faults, now.revision);
  }
  let totals = await readBetween(node, lanesOf(places, question), daysOf(question), options);
  if (totals.places === places.revision) return { ...totals, tree: places };
  // The places changed between the tree and the snapshot: once more, with the tree of now.
  places = await node.places.atLeast(totals.places, options);
  totals = await readBetween(node, lanesOf(places, question), daysOf(question), options);
  if (totals.places === places.revision) return { ...totals, tree: places };
  // They change all the time. What was the newest revision a moment ago has a tree that stays.
  const { revision } = totals;
  const then = await readPlacesAt(node, question, revision, options);
  checkReached(then.revision, { as_of: revision });
  checkKept(revision, then.oldest, then.revision);
  return { ...then, revision };
}
