/** Kept answers over a test's database, and what they are compared with. */
import type { Database } from '../../src/database/database.js';
import { parseDay } from '../../src/days.js';
import { importContent } from '../../src/ingest/import.js';
import { putPlace, type PlaceRow } from '../../src/ingest/places.js';
import { RatesAnswers, type AnswersOptions, type Served } from '../../src/query/answers.js';
import { ratesBetween, RatesSource, type RatesQuestion } from '../../src/query/rates.js';
import { renderRates } from '../../src/query/render.js';
import { withDatabase, type TestDatabase } from './database.js';
import { dumpText, textSource } from './dump.js';
import type { TestItem } from './publish.js';

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

export const day = parseDay('2021-01-01') ?? 0;
export const days = { from: day, to: day + 1 };
const place = (name: string, parameter: string) => ({ place: name, parameter });
export const ports = (origin: string, destination: string): RatesQuestion => ({
  origin: { port: origin },
  destination: { port: destination },
  ...days,
});
export const places = (origin: string, destination: string): RatesQuestion => ({
  origin: place(origin, 'origin'),
  destination: place(destination, 'destination'),
  ...days,
});
export const item = (origin: string, destination: string, price = 50): TestItem => [
  origin,
  destination,
  day,
  price,
];

export const put = ({ database }: TestDatabase, change: PlaceRow) =>
  putPlace(database, change, () => undefined);

export const withDump = (work: (test: TestDatabase) => Promise<void>): Promise<void> =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await work(test);
  });
