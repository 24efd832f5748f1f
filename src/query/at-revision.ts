/**
 * Answers that must be of a revision, or of a later one: where the node that is asked first has not reached it, wait
 * for it briefly, then ask the primary. A standby is behind the primary by what it has not replayed yet.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, ReadOptions } from '../database/database.js';
import { FairwayError } from '../errors.js';
import { headOf, type HeadRow } from './sql.js';

const waitMilliseconds = 1_000;
const pollMilliseconds = 20;

/** Thrown by a question whose snapshot had not reached the revision it needs. */
export class NotReached extends Error {
  constructor(
    readonly parameter: string,
    readonly wanted: number,
    readonly newest: number,
  ) {
    super(`revision ${wanted} is not here; the newest is ${newest}`);
    this.name = 'NotReached';
  }
}

/** Throws `NotReached` unless the snapshot, whose newest revision is given, has those that the parameters name. */
export function checkReached(newest: number, wanted: Record<string, number | undefined>): void {
  for (const [parameter, revision] of Object.entries(wanted))
    if (revision !== undefined && revision > newest) throw new NotReached(parameter, revision, newest);
}

/** Throws `revision_gone` where a revision lies before the oldest that can be asked about. */
export function checkKept(wanted: number | undefined, oldest: number, newest: number): void {
  if (wanted === undefined || wanted >= oldest) return;
  throw new FairwayError(
    'revision_gone',
    `revision ${wanted} is no longer kept; the oldest that can be asked about is ${oldest}`,
    { details: { oldest_revision: oldest }, revision: newest },
  );
}

/** A node that questions can be asked of, and the one that has every revision first; itself where it is that one. */
export interface Node<Self> {
  readonly database: Database;
  readonly primary: Self;
}

/**
 * What `ask` says of a node that has reached what it needs. Throws `invalid_parameter` for a revision that not even the
 * primary has, `revision_not_here` where the primary cannot be asked.
 */
export async function atRevision<Asked extends Node<Asked>, Answer>(
  node: Asked,
  options: ReadOptions,
  ask: (node: Asked) => Promise<Answer>,
): Promise<Answer> {
  const wait = Math.min(waitMilliseconds, ((options.deadline ?? Infinity) - performance.now()) / 2);
  const until = performance.now() + wait;
  for (;;) {
    try {
      return await ask(node);
    } catch (error) {
      if (!(error instanceof NotReached)) throw error;
      if (node.primary === node) throw notThereYet(error);
      if (!(await reaches(node.database, error.wanted, until, options)))
        return askPrimary(node.primary, error, ask);
    }
  }
}

/** Whether the node reaches the revision in time. */
async function reaches(
  database: Database,
  wanted: number,
  until: number,
  options: ReadOptions,
): Promise<boolean> {
  while (performance.now() < until) {
    await delay(pollMilliseconds);
    const [head] = await database.read<HeadRow>(headOf, options);
    if (Number(head?.revision ?? 0) >= wanted) return true;
  }
  return false;
}

async function askPrimary<Asked, Answer>(
  primary: Asked,
  { wanted, newest }: NotReached,
  ask: (node: Asked) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask(primary);
  } catch (error) {
    if (error instanceof NotReached) throw notThereYet(error);
    if (!(error instanceof FairwayError) || error.status !== 503) throw error;
    throw new FairwayError(
      'revision_not_here',
      `revision ${wanted} has not reached this node, which is at ${newest}, and the primary does not answer; try again in a moment`,
      { cause: error, retryAfter: 1, revision: newest },
    );
  }
}

/** What the primary has is the newest there is: a later revision was never given to anybody. */
const notThereYet = ({ parameter, wanted, newest }: NotReached): FairwayError =>
  new FairwayError('invalid_parameter', `${parameter}: there is no revision ${wanted} yet`, {
    revision: newest,
    faults: [
      {
        parameter,
        message: `there is no revision ${wanted} yet`,
        expected: `a revision that an answer named; the newest is ${newest}`,
        value: String(wanted),
      },
    ],
  });
