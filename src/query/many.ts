/**
 * Many questions at once, all of one revision: in go questions, out come their answers in their order. A few statements
 * read some hundred lanes each, the next of them while the answers of the last one are written.
 */
import { chargePrices, chargeRows, rowsOfLanes, type AskOptions } from './cost.js';
import { checkKept, checkReached, atRevision } from './at-revision.js';
import { daysOf, readBetween } from './between.js';
import { lanesOf, singleLane, unknown, unknownEnds, type MeantLanes } from './ends.js';
import { statisticsOf, type RatesQuestion, type RatesSource } from './rates.js';
import { readLanes, type LanesRead } from './lane-reader.js';
import { rollupRevisionsNow, type RollupRevisions } from './rollup/sql.js';
import { headOf, type HeadRow, type LaneDays, type OldestRow } from './sql.js';
import { pricesBehind, type DayStatistics } from './statistics/prices.js';
import { addUp, type DayTotals } from './totals.js';

export interface AnswerOfMany {
  totals: DayTotals;
  statistics?: DayStatistics;
}

export interface AnswersOfMany {
  revision: number;
  /** Some at a time, in their order; to be gone through once; ends early where whoever asked has gone. */
  answers: AsyncGenerator<readonly AnswerOfMany[]>;
}

type Asked = Omit<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'>;

export interface ManyQuestions extends Pick<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'> {
  questions: readonly Asked[];
}

/** Rollups that one statement reads: about a millisecond's work here, and as much in PostgreSQL. */
const rowsPerStatement = 256;
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
  return atRevision(source, options, async (node) => {
    const [head] = await node.database.read<HeadRow & OldestRow>(headOf, options);
    const newest = Number(head?.revision ?? 0);
    checkReached(newest, { min_revision: many.minRevision, as_of: many.asOf });
    checkKept(many.asOf, Number(head?.oldest_revision ?? 0), newest);
    const revision = many.asOf ?? newest;
    const steps = await plan(node, many, revision, options);
    const { charge: _, ...paid } = options;
    if (many.statistics) await payForPrices(answer(node, steps, undefined, revision, paid), options);
    return { revision, answers: answer(node, steps, many.statistics, revision, paid) };
  });
}

/** By the counts alone, which are read once more with the answers: a refusal must not come after the first of them. */
async function payForPrices(answers: AnswersOfMany['answers'], options: AskOptions): Promise<void> {
  let prices = 0;
  for await (const some of answers) for (const { totals } of some) prices += pricesBehind(totals);
  chargePrices(prices, options);
}

/** Questions that are read together. */
type Step =
  | { kind: 'lanes'; questions: { asked: Asked; lane: LaneDays }[]; rows: number }
  | { kind: 'region'; asked: Asked; lanes: MeantLanes };

async function plan(
  node: RatesSource,
  { questions, asOf }: ManyQuestions,
  revision: number,
  options: AskOptions,
): Promise<Step[]> {
  const named = questions.some(({ origin, destination }) => 'place' in origin || 'place' in destination);
  const places = named ? await node.places.at(revision, options) : undefined;
  const faults = questions.flatMap((question, index) =>
    places
      ? unknownEnds(places, question, asOf).map((fault) => ({
          ...fault,
          parameter: `questions[${index}].${fault.parameter}`,
        }))
      : [],
  );
  if (faults.length > 0) throw unknown(faults, revision);
  const steps: Step[] = [];
  for (const asked of questions) {
    const lane = laneOf(asked, places ? lanesOf(places, asked) : undefined);
    if ('origins' in lane) {
      steps.push({ kind: 'region', asked, lanes: lane });
      continue;
    }
    const rows = lane.toMonth - lane.fromMonth + 1;
    const last = steps.at(-1);
    if (last?.kind === 'lanes' && last.rows + rows <= rowsPerStatement) {
      last.questions.push({ asked, lane });
      last.rows += rows;
    } else steps.push({ kind: 'lanes', questions: [{ asked, lane }], rows });
  }
  const tree = await treeOfPairs(node, steps, options);
  chargeRows(
    steps.reduce((sum, step) => sum + rowsOf(step, tree), 0),
    options,
  );
  return steps;
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
function laneOf(asked: Asked, lanes: MeantLanes | undefined): LaneDays | MeantLanes {
  const { origin, destination } = asked;
  if ('port' in origin && 'port' in destination)
    return { origin: origin.port, destination: destination.port, ...daysOf(asked) };
  const meant = lanes ?? { origins: [], destinations: [] };
  const single = singleLane(meant);
  return single ? { ...single, ...daysOf(asked) } : meant;
}

async function* answer(
  node: RatesSource,
  steps: readonly Step[],
  statistics: ManyQuestions['statistics'],
  revision: number,
  options: AskOptions,
): AnswersOfMany['answers'] {
  const read = (step: Step): Promise<LanesRead['perQuestion']> => {
    const rows = readStep(node, step, revision, options);
    // Where nobody comes for it any more, nobody is to hear of its failure.
    rows.catch(() => undefined);
    return rows;
  };
  const ahead = steps.slice(0, statementsAhead).map(read);
  for (const [index, step] of steps.entries()) {
    const perQuestion = (await ahead.shift()) ?? [];
    const next = steps[index + statementsAhead];
    if (next) ahead.push(read(next));
    const asked = step.kind === 'lanes' ? step.questions.map(({ asked }) => asked) : [step.asked];
    const answers: AnswerOfMany[] = [];
    for (const [place, question] of asked.entries()) {
      const added = addUp(perQuestion[place] ?? [], question);
      const totals = added instanceof Promise ? await added : added;
      if (!statistics) {
        answers.push({ totals });
        continue;
      }
      const of = { ...question, statistics };
      yield [{ totals, statistics: await statisticsOf(node, of, { revision, totals }, options) }];
    }
    if (answers.length > 0) yield answers;
  }
}

/** Rows of each question of the step. */
async function readStep(
  node: RatesSource,
  step: Step,
  revision: number,
  options: AskOptions,
): Promise<LanesRead['perQuestion']> {
  if (step.kind === 'region') {
    const found = await readBetween(node, step.lanes, daysOf(step.asked), options, revision);
    checkKept(revision, found.oldest, found.revision);
    return [found.rows];
  }
  const lanes = step.questions.map(({ lane }) => lane);
  // Rollups of the very revision are the whole answer, whatever came since.
  const rolled = await readLanes(node.database, lanes, 'rolled', options);
  if (rolled.revisions.rolled === revision) return rolled.perQuestion;
  const { revisions, perQuestion } = await readLanes(node.database, lanes, revision, options);
  checkKept(revision, revisions.oldest, revisions.revision);
  return perQuestion;
}
