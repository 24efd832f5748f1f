/**
 * The sweep: each scenario runs undisturbed once, and every point it came by (messages to and from PostgreSQL, stages of
 * the service) is then disturbed in each way, so often that it is no luck. Out comes how often each was.
 */
import type { Message } from '../protocol.js';
import { importPlaces } from '../batches.js';
import { withDatabase } from '../database.js';
import { withPostgresProxy } from '../postgres-proxy.js';
import { actionsAt, countPoints, roundsOf } from './points.js';
import { disturbedRun, stageActions, type Job, type Lane } from './run.js';
import type { Scenario } from './scenarios.js';

export interface Swept {
  /** How often each point was disturbed, by what was done. */
  points: Map<string, Map<string, number>>;
  /** How often the disturbed process gave which answer: `verdict`, or the code of its error. */
  told: Map<string, number>;
  /** What it is in one line. */
  summary: string;
}

/** Half a minute to two on a machine of two cores; more where others use it. */
export const sweepMilliseconds = 900_000;
const mostRounds = 13;
/** Of one side of a statement. */
const mostMessages = 5;
/** Runs at once, each in a database of its own: much of a run is waiting. */
const lanes = 4;
/** So many in one database: what they leave slows down the looking. */
const runsPerDatabase = 120;
/** Where other things ran in between, a run may not come by the point. */
const mostTries = 5;
/** Of those that come by a point; the first ones cost least. */
const mostScenarios = 5;

/** The points of messages by name, those of stages as `stage NAME`. */
type Chosen = (point: string) => boolean;
type Passed = Map<string, { scenario: Scenario; count: number }[]>;

interface Recorded {
  messages: Passed;
  stages: Passed;
}

/** Throws at the first run that did not end as it must, with where it was disturbed. */
export async function sweep(
  scenarios: readonly Scenario[],
  chosen: Chosen,
  rounds: (point: string) => number = roundsOf,
): Promise<Swept> {
  const begun = performance.now();
  const recorded = await withLane((lane) => record(lane, scenarios));
  const jobs = jobsOf(recorded, chosen, rounds);
  const all = jobs.length;
  const points: Swept['points'] = new Map();
  const told: Swept['told'] = new Map();
  const work = async (lane: Lane): Promise<void> => {
    for (let run = 0; run < runsPerDatabase; run++) {
      const job = jobs.shift();
      if (!job) return;
      const answer = await untilLanded(lane, job);
      told.set(answer, (told.get(answer) ?? 0) + 1);
      const way = 'message' in job.at ? job.at.message : job.at.stage;
      const counts = points.get(job.point) ?? new Map<string, number>();
      points.set(job.point, counts.set(way, (counts.get(way) ?? 0) + 1));
    }
  };
  const workUntilDone = async (): Promise<void> => {
    try {
      while (jobs.length > 0) await withLane(work);
    } finally {
      // Where one failed the others need not go on.
      jobs.length = 0;
    }
  };
  await Promise.all(Array.from({ length: lanes }, workUntilDone));
  const seconds = Math.round((performance.now() - begun) / 1_000);
  const answers = [...told].map(([answer, count]) => `${answer} ${count}`).join(', ');
  return {
    points,
    told,
    summary: `${all} disturbances at ${points.size} points in ${seconds} s; told: ${answers}`,
  };
}

const withLane = <Result>(work: (lane: Lane) => Promise<Result>): Promise<Result> =>
  withDatabase(async (test) => {
    await importPlaces(test);
    return withPostgresProxy(test, (proxy) =>
      work({ test, proxy, count: 0, stages: () => undefined, messages: () => undefined }),
    );
  });

async function record(lane: Lane, scenarios: readonly Scenario[]): Promise<Recorded> {
  const recorded: Recorded = { messages: new Map(), stages: new Map() };
  for (const scenario of scenarios) {
    // The first one connects and prepares statements.
    await disturbedRun(lane, scenario);
    const stages = new Map<string, number>();
    lane.stages = (stage) => void stages.set(`stage ${stage}`, (stages.get(`stage ${stage}`) ?? 0) + 1);
    const messages: Message[] = [];
    lane.messages = (message) => void messages.push(message);
    await disturbedRun(lane, scenario);
    for (const [counts, passed] of [
      [countPoints(messages), recorded.messages],
      [stages, recorded.stages],
    ] as const) {
      for (const [point, count] of counts)
        passed.set(point, [...(passed.get(point) ?? []), { scenario, count }]);
    }
  }
  return recorded;
}

/** In turns: each point and way once, with one scenario that comes by there, then again with the next. */
function jobsOf({ messages, stages }: Recorded, chosen: Chosen, rounds: (point: string) => number): Job[] {
  const jobs: Job[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const add = (passed: Passed, ways: (point: string) => Job['at'][]): void => {
      for (const [point, by] of passed) {
        if (round >= rounds(point) || !chosen(point)) continue;
        const turns = Math.min(by.length, mostScenarios);
        const passing = by[round % turns];
        if (!passing) continue;
        const { scenario, count } = passing;
        const occurrence = Math.floor(round / turns) % count;
        for (const at of ways(point)) jobs.push({ scenario, point, at, occurrence });
      }
    };
    const turn = (way: number): number => (round + way) % mostMessages;
    add(messages, (point) => actionsAt(point).map((message, way) => ({ message, turn: turn(way) })));
    add(stages, () => stageActions.map((stage) => ({ stage })));
  }
  return jobs;
}

/** What the disturbed process answered. */
async function untilLanded(lane: Lane, job: Job): Promise<string> {
  for (let tries = 1; tries <= mostTries; tries++) {
    const occurrence = tries === 1 ? job.occurrence : 0;
    const { landed, told } = await withinTime(disturbedRun(lane, job.scenario, { ...job, occurrence }), job);
    if (landed !== undefined) return told;
  }
  throw new Error(`'${job.scenario.name}' did not come by '${job.point}' in ${mostTries} runs`);
}

/** So that one that hangs says which it is; what it waits for are conditions. */
const runMilliseconds = 120_000;

async function withinTime<Result>(run: Promise<Result>, { scenario, point, at }: Job): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `'${scenario.name}' did not end: ${JSON.stringify(at)} at '${point}'`;
    timer = setTimeout(() => reject(new Error(text)), runMilliseconds);
  });
  return Promise.race([run, late]).finally(() => clearTimeout(timer));
}
