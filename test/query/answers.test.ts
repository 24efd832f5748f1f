import { expect, test } from 'vitest';
import { parseDay } from '../../src/days.js';
import { importContent } from '../../src/ingest/import.js';
import { putPlace } from '../../src/ingest/places.js';
import { RatesAnswers } from '../../src/query/answers.js';
import { RatesSource } from '../../src/query/rates.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';

const question = {
  origin: { place: 'asia', parameter: 'origin' },
  destination: { port: 'BBBBB' },
  from: parseDay('2021-01-01') ?? 0,
  to: parseDay('2021-01-01') ?? 0,
};

const answersOver = ({ database, events }: TestDatabase, cacheBytes: number): RatesAnswers =>
  new RatesAnswers({
    source: new RatesSource(database),
    emit: (event) => events.push(event),
    cacheBytes,
  });

const outcomes = ({ events }: TestDatabase): boolean[] =>
  events.flatMap((event) => (event.kind === 'answer-cache' ? [event.hit] : []));

test('a kept answer goes out while its revision is the newest, and never after another is known', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const answers = answersOver(test, 1 << 20);
    const first = await answers.answer('key', () => question, {});
    // An answer that was asked for once is not worth its memory; the second one is kept.
    const second = await answers.answer('key', () => question, {});
    expect(second).toEqual(first);
    expect(await answers.answer('key', () => question, {})).toBe(second);
    expect(answers.kept('key')).toBe(second);
    const { revision } = await putPlace(
      test.database,
      { kind: 'port', code: 'CCCCC', name: 'Ccc', parent: 'asia' },
      () => undefined,
    );
    // Whatever tells the new revision, here a look at the head, ends what was kept before it.
    await answers.head.ask({});
    expect(answers.kept('key')).toBeUndefined();
    const third = await answers.answer('key', () => question, {});
    expect(third.revision).toBe(revision);
    expect(third.revision).toBeGreaterThan(first.revision);
    expect(outcomes(test)).toEqual([false, false, true, true, false]);
  }));

test('with min_revision an answer is never older, even from a process that does not know of it yet', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const answers = answersOver(test, 1 << 20);
    for (let times = 0; times < 3; times++) await answers.answer('old', () => question, {});
    const change = { kind: 'port', code: 'CCCCC', name: 'Ccc', parent: 'asia' } as const;
    const { revision } = await putPlace(test.database, change, () => undefined);
    // This process may still give the old answer for a moment; not to who knows better.
    answers.head.learn(revision - 1, performance.now());
    expect(answers.kept('old')?.revision).toBe(revision - 1);
    const newer = () => ({ ...question, minRevision: revision });
    expect((await answers.answer(`old&min_revision=${revision}`, newer, {})).revision).toBe(revision);
    const beyond = () => ({ ...question, minRevision: revision + 1 });
    await expect(answers.answer('beyond', beyond, {})).rejects.toMatchObject({
      code: 'invalid_parameter',
      faults: [{ parameter: 'min_revision' }],
    });
  }));

test('an idle time later the head is asked, once for all who want to know, before a kept answer goes out', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const answers = answersOver(test, 1 << 20);
    await answers.answer('key', () => question, {});
    await answers.answer('key', () => question, {});
    while (answers.head.fresh !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(answers.kept('key')).toBeUndefined();
    const reads = () => test.events.filter((event) => event.kind === 'statement-read').length;
    const before = reads();
    await Promise.all(Array.from({ length: 20 }, () => answers.answer('key', () => question, {})));
    expect(reads() - before).toBe(1);
    expect(outcomes(test).filter(Boolean)).toHaveLength(20);
  }));

test('a slow answer of an older revision neither turns knowledge back nor is kept as the newest', () =>
  withDatabase(async (test) => {
    const answers = answersOver(test, 1 << 20);
    answers.head.learn(5, performance.now());
    answers.head.learn(4, performance.now());
    expect(answers.head.fresh).toBe(5);
    answers.head.learn(5, performance.now() - 1_000);
    expect(answers.head.fresh).toBe(5);
    answers.head.learn(6, performance.now() - 1_000);
    expect(answers.head.fresh).toBeUndefined();
  }));

test('what is kept stays within its bytes; with none, nothing is kept', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const few = answersOver(test, 3_000);
    for (let index = 0; index < 100; index++)
      await few.answer(`key ${Math.floor(index / 2)}`, () => question, {});
    expect(few.kept('key 0')).toBeUndefined();
    expect(few.kept('key 49')).toBeDefined();
    const none = answersOver(test, 0);
    await none.answer('key', () => question, {});
    await none.answer('key', () => question, {});
    expect(none.kept('key')).toBeUndefined();
  }));
