/** What the service answers about the past, one question at a time and several at once, compared with plain SQL. */
import type pg from 'pg';
import { expect } from 'vitest';
import { formatDay } from '../../src/days.js';
import { FairwayError } from '../../src/errors.js';
import type { Ends } from '../../src/query/ends.js';
import { answersOfMany, type AnswerOfMany } from '../../src/query/many.js';
import { ratesBetween, type RatesSource } from '../../src/query/rates.js';
import type { Statistic } from '../../src/query/statistics/definitions.js';
import { horizonOf, plainly, type PastQuestion } from './past.js';

const endsOf = ({ places, origin, destination }: PastQuestion): Ends =>
  places
    ? {
        origin: { place: origin, parameter: 'origin' },
        destination: { place: destination, parameter: 'destination' },
      }
    : { origin: { port: origin }, destination: { port: destination } };

const statistics: Statistic[] = ['min', 'max', 'p2.5', 'p25', 'median', 'p75', 'p97.5'];

/** In the words of `plainly`. */
const toldOf = ({ totals, statistics: told = new Map() }: AnswerOfMany): string[] =>
  [...totals.counts].flatMap((count, index) => {
    if (count === 0) return [];
    const words = [formatDay(totals.from + index), count, totals.sums[index]];
    return [[...words, ...(count < 3 ? [] : statistics.map((name) => told.get(name)?.[index]))].join(' ')];
  });

/** What the service answers. `now`: asked without a revision, which is the newest. */
async function answered(source: RatesSource, question: PastQuestion, now = false): Promise<string[]> {
  const { asOf, from, to } = question;
  try {
    const asked = { ...endsOf(question), from, to, statistics, ...(now ? {} : { asOf }) };
    const answer = await ratesBetween(source, asked, {});
    expect(answer.revision).toBe(asOf);
    return toldOf(answer);
  } catch (error) {
    if (error instanceof FairwayError && error.code === 'place_unknown') return ['unknown'];
    if (error instanceof FairwayError && error.code === 'revision_gone') return ['gone'];
    throw error;
  }
}

/** Questions of one revision, asked at once. */
async function answeredAtOnce(
  source: RatesSource,
  questions: readonly PastQuestion[],
  asOf: number,
  now: boolean,
): Promise<string[][]> {
  const asked = questions.map((question) => ({ ...endsOf(question), from: question.from, to: question.to }));
  const { revision, answers } = await answersOfMany(
    source,
    { questions: asked, statistics, ...(now ? {} : { asOf }) },
    {},
  );
  expect(revision).toBe(asOf);
  const told: string[][] = [];
  for await (const some of answers) for (const answer of some) told.push(toldOf(answer));
  return told;
}

/** Questions asked where a history stands still. */
export interface Stop {
  source: RatesSource;
  client: pg.ClientBase;
  questions: readonly PastQuestion[];
  newest: number;
  /** For whoever reads of a failure. */
  where: string;
}

/** All of them at two revisions, each at once; those with a place that was none then are left out. */
export async function compareAtOnce({ source, client, questions, newest, where }: Stop): Promise<number> {
  const horizon = await horizonOf(client);
  let asked = 0;
  for (const asOf of new Set([questions[0]?.asOf ?? newest, newest])) {
    if (asOf < horizon) continue;
    const moved = questions.map((question) => ({ ...question, asOf }));
    const wanted = await plainly(client, moved);
    const known = moved.filter((_, index) => wanted[index]?.[0] !== 'unknown');
    expect(
      await answeredAtOnce(source, known, asOf, asOf === newest),
      `${where}: at once: ${JSON.stringify(known)}`,
    ).toEqual(wanted.filter((told) => told[0] !== 'unknown'));
    asked += known.length;
  }
  return asked;
}

/** Those of the newest revision are asked twice, with its number and without; resolves with how many. */
export async function compare({ source, client, questions, newest, where }: Stop): Promise<number> {
  const [wanted, horizon, told] = [
    await plainly(client, questions),
    await horizonOf(client),
    await Promise.all(questions.map((question) => answered(source, question))),
  ];
  for (const [index, question] of questions.entries())
    expect(told[index], `${where}: ${JSON.stringify(question)}`).toEqual(
      question.asOf < horizon ? ['gone'] : wanted[index],
    );
  const ofNow = questions.filter(({ asOf }) => asOf === newest);
  for (const question of ofNow)
    expect(await answered(source, question, true), `${where}: now: ${JSON.stringify(question)}`).toEqual(
      wanted[questions.indexOf(question)],
    );
  return ofNow.length;
}
