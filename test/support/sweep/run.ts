/**
 * One run of the sweep: a process is disturbed at one point, its client then repeats at a healthy one until the
 * verdict, the collector runs, and the database is looked at. Out comes where the disturbance landed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayError } from '../../../src/errors.js';
import { collect } from '../../../src/ingest/collect.js';
import type { Reach, Stage } from '../../../src/ingest/stages.js';
import type { UploadLimits } from '../../../src/ingest/upload/context.js';
import { uploadLimits } from '../../../src/ingest/upload/limits.js';
import type { TestDatabase } from '../database.js';
import type { Message } from '../protocol.js';
import { describeLanding, type Action, type PostgresProxy } from '../postgres-proxy.js';
import { anyRoom } from '../disk.js';
import { readWithParts } from '../read-upload.js';
import { until } from '../uploads.js';
import { differences, expireLeases, orphans, standing } from './effect.js';
import { passing } from './points.js';
import type { Answer, Process, Run, Scenario } from './scenarios.js';

/** `away`: all connections are cut and none comes through until the client has its verdict elsewhere. */
export const stageActions = ['cut', 'away', 'terminate', 'stall'] as const;
export type StageAction = (typeof stageActions)[number];

/** What is done at the n-th passing of a point; `turn` tells which of its messages. */
export interface Job {
  scenario: Scenario;
  point: string;
  at: { message: Action; turn: number } | { stage: StageAction };
  occurrence: number;
}

export interface Lane {
  test: TestDatabase;
  proxy: PostgresProxy;
  /** Runs so far. */
  count: number;
  /** Hears the stages of the disturbed process. */
  stages: Reach;
  /** Hears its messages. */
  messages: (message: Message) => void;
}

const short = uploadLimits({
  leaseMilliseconds: 80,
  repeatMilliseconds: 20_000,
  patience: { tryMilliseconds: 20_000, settleMilliseconds: 400 },
});
/** For the run that is recorded: a lease is renewed where that is what the scenario is about, not where the machine is slow. */
const calm = { ...short, leaseMilliseconds: 3_600_000 };

function processOf(
  { test }: Lane,
  { itemsPerPart }: Scenario,
  limits: UploadLimits,
  { database = test.database, reach }: Partial<Process> = {},
): Process {
  const context = {
    database,
    emit: test.emit,
    limits,
    disk: anyRoom,
    read: readWithParts(itemsPerPart),
    reach,
  };
  return { database, reach, context };
}

export interface Ended {
  /** Where the disturbance landed; undefined where the run did not come by there. */
  landed: string | undefined;
  /** What the disturbed process answered: `verdict`, or the code of its error. */
  told: string;
}

/** Throws what is not as it must be. */
export async function disturbedRun(lane: Lane, scenario: Scenario, job?: Job): Promise<Ended> {
  const { proxy, test } = lane;
  const run: Run = {
    key: `run ${++lane.count}`,
    given: undefined,
    renewal: () => Promise.resolve(),
  };
  const limits = job || scenario.renews ? short : calm;
  const healthy = processOf(lane, scenario, limits);
  run.given = await scenario.prepare?.(healthy, run);
  const before = await standing(proxy.admin);
  const plan = planned(lane, job);
  const disturbed = processOf(lane, scenario, limits, { database: proxy.database, reach: plan.reach });
  const itsRun = { ...run, renewal: plan.renewal };
  const first = settled<unknown>(
    scenario.disturbed ? scenario.disturbed(disturbed, itsRun) : scenario.send(disturbed, itsRun),
  );
  await Promise.race([first.done, plan.held]);
  const answers: Answer[] = [];
  const ask = () => untilVerdict(scenario, healthy, run);
  if (plan.isStranded()) {
    // Its own next try comes while the COMMIT of the first is on its way.
    await until(async () => first.value !== undefined || (await somebodyWaits(lane, [])));
    plan.release();
  } else if (plan.isHeld()) {
    const second = settled(ask());
    await until(async () => second.value !== undefined || (await somebodyWaits(lane)));
    if (second.value?.ok) {
      // Beside the loader that is held.
      const collecting = settled(collect(test.database, test.emit));
      await until(async () => collecting.value !== undefined || (await somebodyWaits(lane)));
      plan.release();
      await collecting.done;
    }
    plan.release();
    answers.push(valueOf(await second.done));
  }
  const told = await first.done;
  proxy.forget();
  answers.push(await ask());
  if (told.ok && !scenario.disturbed) answers.push(told.value as Answer);
  const faults = told.ok || scenario.disturbed ? [] : wrongError(told.error);
  await until(async () => proxy.isIdle());
  faults.push(...(await leftovers(lane)));
  faults.push(...(await differences(proxy.admin, run, scenario.effect, before, answers)));
  if (faults.length > 0) {
    const where = plan.landed() ?? 'undisturbed';
    throw new Error(`'${scenario.name}', ${where}: ${faults.join('; ')}`);
  }
  return { landed: plan.landed(), told: told.ok ? 'verdict' : codeOf(told.error) };
}

const codeOf = (error: unknown): string => (error instanceof FairwayError ? error.code : String(error));

interface Planned {
  reach: Reach;
  renewal: () => Promise<void>;
  /** Resolves once everything is held. */
  held: Promise<void>;
  isHeld(): boolean;
  isStranded(): boolean;
  release(): void;
  landed(): string | undefined;
}

function planned(lane: Lane, job: Job | undefined): Planned {
  const { proxy } = lane;
  let landed: string | undefined;
  let held = false;
  let hold = (): void => undefined;
  const holding = new Promise<void>((resolve) => {
    hold = () => {
      held = true;
      resolve();
    };
  });
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let renewed = (): void => undefined;
  const renewal = new Promise<void>((resolve) => (renewed = resolve));
  proxy.listen((message) => {
    lane.messages(message);
    if (message.exchange.statement.startsWith('update fairway.attempts set lease_until = clock')) renewed();
  });
  if (job && 'message' in job.at) {
    const { message, turn } = job.at;
    void proxy.plan(message, passing(job.point, job.occurrence, turn)).then((landing) => {
      landed = describeLanding(landing);
      if (message === 'stall' || message === 'strand') hold();
    });
  }
  let passed = 0;
  const reach = async (stage: Stage): Promise<void> => {
    await lane.stages(stage);
    if (!job || !('stage' in job.at) || `stage ${stage}` !== job.point || passed++ !== job.occurrence) return;
    landed = `${job.at.stage} at the stage '${stage}'`;
    if (job.at.stage === 'cut') proxy.cut();
    else if (job.at.stage === 'terminate') await proxy.terminate();
    else {
      if (job.at.stage === 'away') {
        proxy.refuse();
        proxy.cut();
      } else proxy.hold();
      hold();
      if (job.at.stage === 'stall') await released;
    }
  };
  return {
    reach,
    renewal: () => renewal,
    held: holding,
    isHeld: () => held,
    isStranded: () => held && job !== undefined && 'message' in job.at && job.at.message === 'strand',
    release: () => {
      release();
      renewed();
      proxy.open();
      proxy.release();
    },
    landed: () => landed,
  };
}

type Outcome<Value> = { ok: true; value: Value } | { ok: false; error: unknown };
interface Settling<Value> {
  value: Outcome<Value> | undefined;
  done: Promise<Outcome<Value>>;
}

function settled<Value>(work: Promise<Value>): Settling<Value> {
  const settling: Settling<Value> = {
    value: undefined,
    done: work
      .then(
        (value): Outcome<Value> => ({ ok: true, value }),
        (error: unknown): Outcome<Value> => ({ ok: false, error }),
      )
      .then((outcome) => (settling.value = outcome)),
  };
  return settling;
}

function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw outcome.error;
}

const mostTries = 400;

/** As docs/ingestion.md tells clients to. */
async function untilVerdict(scenario: Scenario, process: Process, run: Run): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await scenario.send(process, run);
    } catch (error) {
      if (wrongError(error).length > 0 || tries === mostTries) throw error;
      await delay(5);
    }
  }
}

/** Whatever is told instead of a verdict must be what a client repeats after. */
const wrongError = (error: unknown): string[] =>
  error instanceof FairwayError && (error.status === 503 || error.code === 'in_progress')
    ? []
    : [`the client was told ${error instanceof FairwayError ? error.code : String((error as Error).stack)}`];

/** Whether a connection that is not held waits for a lock of one that is; a renewal of a lease by itself does not count. */
async function somebodyWaits({ proxy }: Lane, held = proxy.backends()): Promise<boolean> {
  const { rowCount } = await proxy.admin.query(
    `select from pg_stat_activity a where datname = current_database() and wait_event_type = 'Lock'
       and pid <> all ($1::integer[]) and (query not like 'update fairway.attempts set lease_until = clock%'
         or exists (select from pg_locks l where l.pid = a.pid and l.relation = 'fairway.batches'::regclass))`,
    [held],
  );
  return rowCount !== 0;
}

const mostRounds = 200;

/** What is left once the leases are over and the collector ran. A process of the server that was cut off takes a moment to go. */
async function leftovers({ proxy, test }: Lane): Promise<string[]> {
  for (let round = 1; ; round++) {
    await expireLeases(proxy.admin);
    await collect(test.database, test.emit);
    const left = await orphans(proxy.admin);
    if (left === undefined) return [];
    if (round === mostRounds) return [`left behind: ${left}`];
    await delay(10);
  }
}
