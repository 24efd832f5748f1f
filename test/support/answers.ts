/** Kept answers over a test's database, and what they are compared with. */
import type { Database } from '../../src/database/database.js';
import { RatesAnswers, type AnswersOptions, type Served } from '../../src/query/answers.js';
import { ratesBetween, RatesSource, type RatesQuestion } from '../../src/query/rates.js';
import { renderRates } from '../../src/query/render.js';
import type { TestDatabase } from './database.js';

export interface Answering {
  answers: RatesAnswers;
  ask: (question: RatesQuestion, key?: string) => Promise<Served>;
  /** Asks as often as it takes for the answer to be kept. */
  keep: (question: RatesQuestion) => Promise<Served>;
}

export async function withAnswers(
  test: TestDatabase,
  work: (answering: Answering) => Promise<void>,
  options: Partial<Omit<AnswersOptions, 'source'>> & { database?: Database } = {},
): Promise<void> {
  const { database = test.database, ...rest } = options;
  const source = new RatesSource(database);
  const answers = new RatesAnswers({ source, emit: test.emit, cacheBytes: 1 << 20, ...rest });
  const ask: Answering['ask'] = ({ minRevision, ...question }, key = JSON.stringify(question)) =>
    answers.answer(
      { key, minRevision },
      () => ({ ...question, ...(minRevision === undefined ? {} : { minRevision }) }),
      {},
    );
  try {
    await work({
      answers,
      ask,
      keep: async (question) => {
        for (;;) {
          const served = await ask(question);
          if (served.kept) return served;
        }
      },
    });
  } finally {
    answers.close();
  }
}

/** The answer as of a revision, computed. */
export async function computed(
  { database }: TestDatabase,
  question: RatesQuestion,
  asOf: number,
): Promise<string> {
  const { totals, statistics } = await ratesBetween(new RatesSource(database), { ...question, asOf }, {});
  return renderRates(totals, statistics);
}

export interface Gate {
  database: Database;
  /** From now on what statements of these names read is held back, though the database has answered. */
  hold: (...names: string[]) => void;
  /** Reads that are held back. */
  held: () => number;
  release: () => void;
}

/** The same database; what it answers comes when the test says so. */
export function gated(database: Database): Gate {
  let names: string[] = [];
  let waiting: (() => void)[] = [];
  return {
    database: {
      ...database,
      read: async (statement, options) => {
        const rows = await database.read<never>(statement, options);
        if (names.includes(statement.name ?? '')) await new Promise<void>((resolve) => waiting.push(resolve));
        return rows;
      },
    },
    hold: (...held) => void (names = held),
    held: () => waiting.length,
    release: () => {
      names = [];
      for (const resolve of waiting.splice(0)) resolve();
      waiting = [];
    },
  };
}
