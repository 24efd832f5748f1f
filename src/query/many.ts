/**
 * Many questions at once, all of one revision: in go questions, out come their answers in their order. A few statements
 * read some hundred lanes each, the next of them while the answers of the last one are written.
 */
import { chargePrices, chargeRows, rowsOfLanes, type AskOptions } from './cost.js';
import { checkKept, checkReached, atRevision } from './at-revision.js';
import { daysOf, readBetween } from './between.js';
import { lanesOf, singleLane, unknown, unknownEnds, type MeantLanes } from './ends.js';
import { statisticsOf, type RatesQuestion, type RatesSource } from './rates.js';
import { readLanes } from './lane-reader.js';
import type { PackedMonths } from './many/packed-months.js';
import { readMonths } from './many/read-months.js';
import type { LaneColumns } from './many/sql.js';
import type { Places } from './places.js';
import { rollupRevisionsNow, type RollupRevisions } from './rollup/sql.js';
import { headOf, type DayRange, type HeadRow, type LaneDays, type OldestRow } from './sql.js';
import { pricesBehind, type DayStatistics } from './statistics/prices.js';
import { addUp, type DayTotals } from './totals.js';

export interface AnswerOfMany {
  totals: DayTotals;
  statistics?: DayStatistics;
}

export interface AnswersOfMany {
  revision: number;
  /**
   * Some at a time, in their order; to be gone through once; ends early where whoever asked has gone. An answer is
   * written over by the next one.
   */
  answers: AsyncGenerator<Iterable<AnswerOfMany>>;
}

type Asked = Omit<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'>;

export interface ManyQuestions extends Pick<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'> {
  questions: readonly Asked[];
}

/** Rollups that one statement reads: some two milliseconds' work here, and as much in PostgreSQL. */
const rowsPerStatement = 512;
/** Statements under way while answers are written. */
const statementsAhead = 2;

/**
 * Resolves once the revision is known, every place was found and all of it is paid for. Throws `place_unknown` with the
 * place of each fault in the list, `too_costly`, `budget_spent`, `revision_gone`, `revision_not_here`, `invalid_parameter`.
 */
export function answersOfMany(
  source: RatesSource,
  many: ManyQuestions,
  options: AskOptions,
): Promise<AnswersOfMany> {
  const { charge: _, ...paid } = options;
  const patience = (options.deadline ?? Infinity) - performance.now();
  // What goes out waits for whoever reads it: a statement has as long as the question had.
  const inTime = (): AskOptions =>
    paid.deadline === undefined ? paid : { ...paid, deadline: performance.now() + patience };
  return atRevision(source, options, async (node) => {
    const [head] = await node.database.read<HeadRow & OldestRow>(headOf, options);
    const newest = Number(head?.revision ?? 0);
    checkReached(newest, { min_revision: many.minRevision, as_of: many.asOf });
    checkKept(many.asOf, Number(head?.oldest_revision ?? 0), newest);
    const revision = many.asOf ?? newest;
    const steps = await plan(node, many, revision, options);
    if (many.statistics)
      await payForPrices(
        answer(node, steps, undefined, revision, () => paid),
        options,
      );
    return { revision, answers: answer(node, steps, many.statistics, revision, inTime) };
  });
}

/** By the counts alone, which are read once more with the answers: a refusal must not come after the first of them. */
async function payForPrices(answers: AnswersOfMany['answers'], options: AskOptions): Promise<void> {
  let prices = 0;
  for await (const some of answers) for (const { totals } of some) prices += pricesBehind(totals);
  chargePrices(prices, options);
}

/** Questions that are read together. */
interface LanesStep {
  kind: 'lanes';
  questions: Asked[];
  lanes: LaneColumns;
  rows: number;
}
type Step = LanesStep | { kind: 'region'; asked: Asked; lanes: MeantLanes };

type Lane = Pick<LaneDays, 'origin' | 'destination'>;

async function plan(
  node: RatesSource,
  { questions, asOf }: ManyQuestions,
  revision: number,
  options: AskOptions,
): Promise<Step[]> {
  const named = questions.some(({ origin, destination }) => 'place' in origin || 'place' in destination);
  const places = named ? await node.places.at(revision, options) : undefined;
  if (places) checkEnds(places, questions, revision, asOf);
  const steps = stepsOf(places, questions);
  const tree = await treeOfPairs(node, steps, options);
  chargeRows(
    steps.reduce((sum, step) => sum + rowsOf(step, tree), 0),
    options,
  );
  return steps;
}

function stepsOf(places: Places | undefined, questions: readonly Asked[]): Step[] {
  const steps: Step[] = [];
  let last: Step | undefined;
  let [from, to] = [NaN, NaN];
  let days: DayRange = { from, to, fromMonth: 0, toMonth: 0 };
  for (const asked of questions) {
    const lane = laneOf(asked, places);
    if ('origins' in lane) {
      steps.push((last = { kind: 'region', asked, lanes: lane }));
      continue;
    }
    // Most often all are about the same days.
    if (asked.from !== from || asked.to !== to) {
      ({ from, to } = asked);
      days = daysOf(asked);
    }
    const { fromMonth, toMonth } = days;
    const rows = toMonth - fromMonth + 1;
    if (last?.kind !== 'lanes' || last.rows + rows > rowsPerStatement) {
      const lanes = { origins: [], destinations: [], fromMonths: [], toMonths: [] };
      steps.push((last = { kind: 'lanes', questions: [], lanes, rows: 0 }));
    }
    last.questions.push(asked);
    last.lanes.origins.push(lane.origin);
    last.lanes.destinations.push(lane.destination);
    last.lanes.fromMonths.push(fromMonth);
    last.lanes.toMonths.push(toMonth);
    last.rows += rows;
  }
  return steps;
}

/** Throws `place_unknown` with the place of each fault in the list. */
function checkEnds(
  places: Places,
  questions: readonly Asked[],
  revision: number,
  asOf: number | undefined,
): void {
  const faults = questions.flatMap((question, index) =>
    unknownEnds(places, question, asOf).map((fault) => ({
      ...fault,
      parameter: `questions[${index}].${fault.parameter}`,
    })),
  );
  if (faults.length > 0) throw unknown(faults, revision);
}

/** The tree of places that rollups of pairs stand for: those of another one are read lane by lane. */
async function treeOfPairs(
  { database }: RatesSource,
  steps: readonly Step[],
  options: AskOptions,
): Promise<number | undefined> {
  if (!steps.some((step) => step.kind === 'region' && step.lanes.pair)) return undefined;
  const [row] = await database.read<RollupRevisions>(rollupRevisionsNow, options);
  return row?.rolled_places ? Number(row.rolled_places) : undefined;
}

/** Throws `too_costly` for regions too large to be read lane by lane. */
function rowsOf(step: Step, tree: number | undefined): number {
  if (step.kind === 'lanes') return step.rows;
  const days = daysOf(step.asked);
  return step.lanes.pair && step.lanes.pair.places === tree
    ? days.toMonth - days.fromMonth + 1
    : rowsOfLanes(step.lanes, days);
}

/** One lane where there is but one; from a port to itself only where both ends were given as ports of old. */
function laneOf(asked: Asked, places: Places | undefined): Lane | MeantLanes {
  const { origin, destination } = asked;
  if ('port' in origin && 'port' in destination)
    return { origin: origin.port, destination: destination.port };
  const meant = places ? lanesOf(places, asked) : { origins: [], destinations: [] };
  return singleLane(meant) ?? meant;
}

async function* answer(
  node: RatesSource,
  steps: readonly Step[],
  statistics: ManyQuestions['statistics'],
  revision: number,
  optionsNow: () => AskOptions,
): AnswersOfMany['answers'] {
  const read = (step: Step): Promise<Iterable<AnswerOfMany>> => {
    // The node of this statement may be another than the one that told the revision.
    const options = optionsNow();
    const answers = atRevision(node, options, (at) => readStep(at, step, revision, options));
    // Where nobody comes for it any more, nobody is to hear of its failure.
    answers.catch(() => undefined);
    return answers;
  };
  const ahead = steps.slice(0, statementsAhead).map(read);
  for (const [index, step] of steps.entries()) {
    const answers = (await ahead.shift()) ?? [];
    const next = steps[index + statementsAhead];
    if (next) ahead.push(read(next));
    if (!statistics) {
      yield answers;
      continue;
    }
    const asked = step.kind === 'lanes' ? step.questions.values() : [step.asked].values();
    for (const { totals } of answers) {
      const { value: question } = asked.next();
      if (!question) continue;
      const of = { ...question, statistics };
      const options = optionsNow();
      const read = (at: RatesSource) => statisticsOf(at, of, { revision, totals }, options);
      yield [{ totals, statistics: await atRevision(node, options, read) }];
    }
  }
}

/** Answers to the questions of the step, without statistics. Throws `NotReached`. */
async function readStep(
  node: RatesSource,
  step: Step,
  revision: number,
  options: AskOptions,
): Promise<Iterable<AnswerOfMany>> {
  if (step.kind === 'region') {
    const found = await readBetween(node, step.lanes, daysOf(step.asked), options, revision);
    checkReached(found.revision, { as_of: revision });
    checkKept(revision, found.oldest, found.revision);
    return [{ totals: await addUp(found.rows, step.asked) }];
  }
  const { questions, lanes } = step;
  // Rollups of the very revision are the whole answer, whatever came since.
  const { rolled, months } = await readMonths(node, lanes, revision, options);
  if (rolled === revision) return answersOfMonths(months, questions);
  const { revisions, perQuestion } = await readLanes(node.database, laneDays(step), revision, options);
  checkReached(revisions.revision, { as_of: revision });
  checkKept(revision, revisions.oldest, revisions.revision);
  return Promise.all(
    questions.map(async (question, place) => ({ totals: await addUp(perQuestion[place] ?? [], question) })),
  );
}

const laneDays = ({ questions, lanes: { origins, destinations } }: LanesStep): LaneDays[] =>
  questions.map((asked, place) => ({
    origin: origins[place] ?? '',
    destination: destinations[place] ?? '',
    ...daysOf(asked),
  }));

/** Each written over the one before. */
function* answersOfMonths(months: PackedMonths, questions: readonly Asked[]): Generator<AnswerOfMany> {
  const totals: DayTotals = { from: 0, counts: [], sums: [] };
  const answer = { totals };
  let place = 0;
  for (const { from, to } of questions) {
    clearTotals(totals, from, to);
    months.addTo(totals, place++);
    yield answer;
  }
}

function clearTotals(totals: DayTotals, from: number, to: number): void {
  const days = Math.max(0, to - from + 1);
  totals.from = from;
  if (days !== totals.counts.length) {
    totals.counts = Array.from({ length: days }, () => 0);
    totals.sums = Array.from({ length: days }, () => 0);
    return;
  }
  totals.counts.fill(0);
  totals.sums.fill(0);
}
