/**
 * Many questions at once, all of one revision: in go questions, out come their answers one by one, in their order. A
 * few statements read a few hundred lanes each, the next of them while the answers of the last one are written.
 */
import { chargeRows, rowsOfLanes, type AskOptions } from './cost.js';
import { checkKept, checkReached, atRevision } from './at-revision.js';
import { daysOf, readBetween } from './between.js';
import { lanesOf, singleLane, unknown, unknownEnds, type MeantLanes } from './ends.js';
import { statisticsOf, type RatesQuestion, type RatesSource } from './rates.js';
import { readLanes, type LanesRead } from './lane-reader.js';
import { headOf, type HeadRow, type LaneDays, type OldestRow } from './sql.js';
import type { DayStatistics } from './statistics/prices.js';
import { addUp, type DayTotals } from './totals.js';

export interface AnswerOfMany {
  totals: DayTotals;
  statistics?: DayStatistics;
}

export interface AnswersOfMany {
  revision: number;
  /** To be gone through once; ends early where whoever asked has gone. */
  answers: AsyncGenerator<AnswerOfMany>;
}

type Asked = Omit<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'>;

export interface ManyQuestions extends Pick<RatesQuestion, 'minRevision' | 'asOf' | 'statistics'> {
  questions: readonly Asked[];
}

/** Rollups that one statement reads: some hundred kilobytes, a few milliseconds. */
const rowsPerStatement = 128;

/**
 * Resolves once the revision is known and every place was found. Throws `place_unknown` with the place of each fault in
 * the list, `revision_gone`, `revision_not_here`, `invalid_parameter`.
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
    checkKept(many.asOf, Number(head?.oldest_revision ?? 0));
    const revision = many.asOf ?? newest;
    const steps = await plan(node, many.questions, revision, options);
    return { revision, answers: answer(node, steps, many.statistics, revision, paidFor(options)) };
  });
}

/** An answer that has begun is not broken off for want of a budget: what shows on the way, the next request is refused for. */
const paidFor = ({ charge, ...options }: AskOptions): AskOptions => ({
  ...options,
  charge: (rows) => {
    try {
      charge?.(rows);
    } catch {
      // Nothing is left: the next request is told.
    }
  },
});

/** Questions that are read together. */
type Step =
  | { kind: 'lanes'; questions: { asked: Asked; lane: LaneDays }[]; rows: number }
  | { kind: 'region'; asked: Asked; lanes: MeantLanes };

async function plan(
  node: RatesSource,
  questions: readonly Asked[],
  revision: number,
  options: AskOptions,
): Promise<Step[]> {
  const named = questions.some(({ origin, destination }) => 'place' in origin || 'place' in destination);
  const places = named ? await node.places.at(revision, options) : undefined;
  const faults = questions.flatMap((question, index) =>
    places
      ? unknownEnds(places, question).map((fault) => ({
          ...fault,
          parameter: `questions[${index}].${fault.parameter}`,
        }))
      : [],
  );
  if (faults.length > 0) throw unknown(faults);
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
  chargeRows(
    steps.reduce((sum, step) => sum + rowsOf(step), 0),
    options,
  );
  return steps;
}

/** Throws `too_costly` for regions too large to be read lane by lane. */
function rowsOf(step: Step): number {
  if (step.kind === 'lanes') return step.rows;
  const days = daysOf(step.asked);
  return step.lanes.pair ? days.toMonth - days.fromMonth + 1 : rowsOfLanes(step.lanes, days);
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
): AsyncGenerator<AnswerOfMany> {
  const read = (step: Step | undefined): Promise<LanesRead['perQuestion']> | undefined => {
    const rows = step && readStep(node, step, revision, options);
    // Where nobody comes for it any more, nobody is to hear of its failure.
    rows?.catch(() => undefined);
    return rows;
  };
  let next = read(steps[0]);
  for (const [index, step] of steps.entries()) {
    const perQuestion = (await next) ?? [];
    next = read(steps[index + 1]);
    const asked = step.kind === 'lanes' ? step.questions.map(({ asked }) => asked) : [step.asked];
    for (const [place, question] of asked.entries()) {
      const totals = await addUp(perQuestion[place] ?? [], question);
      if (!statistics) yield { totals };
      else {
        const of = { ...question, statistics };
        yield { totals, statistics: await statisticsOf(node, of, { revision, totals }, options) };
      }
    }
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
    const { rows, oldest } = await readBetween(node, step.lanes, daysOf(step.asked), options, revision);
    checkKept(revision, oldest);
    return [rows];
  }
  const lanes = step.questions.map(({ lane }) => lane);
  // Rollups of the very revision are the whole answer, whatever came since.
  const rolled = await readLanes(node.database, lanes, 'rolled', options);
  if (rolled.revisions.rolled === revision) return rolled.perQuestion;
  const { revisions, perQuestion } = await readLanes(node.database, lanes, revision, options);
  checkKept(revision, revisions.oldest);
  return perQuestion;
}
