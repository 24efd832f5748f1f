/** Answers from memory: never another than a computed one of the revision they name, never older than they may be. */
import { expect, test } from 'vitest';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { freshMilliseconds } from '../../src/query/head.js';
import { rollUp } from '../../src/query/roll-up.js';
import {
  computed,
  day,
  days,
  gated,
  item,
  places,
  ports,
  put,
  withAnswers,
  withDump,
} from '../support/answers.js';
import type { TestDatabase } from '../support/database.js';
import { publishItems } from '../support/publish.js';

const outcomes = ({ events }: TestDatabase): string[] =>
  events.flatMap((event) => (event.kind === 'answer-cache' ? [event.outcome] : []));

test('an answer is kept from the second time on, goes out at once while fresh, and is the same', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask }) => {
      const question = places('asia', 'baltic');
      const first = await ask(question, 'key');
      expect(first.kept).toBe(false);
      const second = await ask(question, 'key');
      expect(second.answer).toMatchObject({ body: first.answer.body, etag: first.answer.etag });
      const third = await ask(question, 'key');
      expect(third).toMatchObject({ kept: true, answer: second.answer });
      await expect.poll(() => answers.kept('key', performance.now())).toBe(third.answer);
      expect(outcomes(test).slice(0, 3)).toEqual(['miss', 'miss', 'hit']);
    }),
  ));

test('a revision drops the answers about the lanes it touched, and the others hold at it', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask, keep }) => {
      const touched = [
        ports('AAAAA', 'BBBBB'),
        places('AAAAA', 'BBBBB'),
        places('asia', 'europe'),
        places('asia', 'BBBBB'),
        { ...ports('AAAAA', 'BBBBB'), statistics: ['max'] as const },
      ];
      const others = [
        ports('CCCCC', 'BBBBB'),
        places('europe', 'baltic'),
        places('asia', 'CCCCC'),
        { ...ports('AAAAA', 'BBBBB'), asOf: 1 },
      ];
      for (const question of [...touched, ...others]) await keep(question);
      const { revision, batch } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
      await expect.poll(() => answers.head.revision).toBe(revision);
      for (const question of others) {
        const { kept, answer } = await ask(question);
        expect(kept).toBe(true);
        expect(answer.revision).toBe(question.asOf ?? revision);
      }
      for (const question of touched) {
        const { kept, answer } = await ask(question);
        expect(kept, JSON.stringify(question)).toBe(false);
        expect(answer.revision).toBe(revision);
        expect(answer.body).toBe(await computed(test, question, revision));
        await keep(question);
      }
      // What goes drops them like what comes.
      await withdraw(test.database, batch, test.emit);
      await expect.poll(() => answers.head.revision).toBe(revision + 1);
      for (const question of touched) expect((await ask(question)).kept).toBe(false);
      for (const question of others) expect((await ask(question)).kept).toBe(true);
    }),
  ));

test('a lane that is asked about again is kept whole: its other days come from memory, until a revision touches it', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask }) => {
      await rollUp(test.database, test.emit);
      const window = (before: number, [from, to] = ['AAAAA', 'BBBBB']) => ({
        ...ports(from ?? '', to ?? ''),
        from: day - before,
      });
      expect((await ask(window(1))).kept).toBe(false);
      expect((await ask(window(2))).kept).toBe(false);
      await ask(window(1, ['CCCCC', 'BBBBB']));
      await ask(window(2, ['CCCCC', 'BBBBB']));
      await expect.poll(() => answers.head.isFresh(performance.now())).toBe(true);
      const third = await ask(window(40));
      expect(third.kept).toBe(true);
      expect(third.answer.body).toBe(await computed(test, window(40), third.answer.revision));
      expect(outcomes(test)).toEqual(['miss', 'miss', 'miss', 'miss', 'lane']);
      expect(answers.size.lanes.lanes).toBe(2);
      const { revision } = await publishItems(test.database, [item('AAAAA', 'BBBBB', 70)]);
      await expect
        .poll(async () => {
          await ask(window(3, ['CCCCC', 'BBBBB']));
          return answers.head.revision;
        })
        .toBe(revision);
      const touched = await ask(window(50));
      expect(touched).toMatchObject({ kept: false, answer: { revision } });
      expect(touched.answer.body).toBe(await computed(test, window(50), revision));
      await expect.poll(async () => (await ask(window(51, ['CCCCC', 'BBBBB']))).kept).toBe(true);
    }),
  ));

test('a change of places drops the answers about places, not those about ports of old', () =>
  withDump((test) =>
    withAnswers(test, async ({ ask, keep }) => {
      const region = places('asia', 'europe');
      const lane = ports('AAAAA', 'BBBBB');
      await keep(region);
      await keep(lane);
      const { revision } = await put(test, { kind: 'port', code: 'CCCCC', name: 'Ccc', parent: 'asia' });
      const again = await keep(lane);
      await expect.poll(async () => (await ask(lane)).answer.revision).toBe(revision);
      expect(again.answer.body).toBe((await ask(lane)).answer.body);
      const after = await ask(region);
      expect(after).toMatchObject({ kept: false, answer: { revision } });
      expect(after.answer.body).toBe(await computed(test, region, revision));
      expect(after.answer.body).toContain('"count":2,');
    }),
  ));

test('with min_revision an answer is never older, even from a process that does not know of it yet', () =>
  withDump(async (test) => {
    const gate = gated(test.database);
    await withAnswers(
      test,
      async ({ answers, ask, keep }) => {
        const question = ports('AAAAA', 'BBBBB');
        await keep(question);
        gate.hold('news-since');
        const { revision } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
        // What this process knows is the old revision, and who knows better does not get it.
        expect(answers.head.revision).toBe(revision - 1);
        const newer = ask({ ...question, minRevision: revision });
        await expect.poll(gate.held).toBe(1);
        gate.release();
        expect(await newer).toMatchObject({ kept: false, answer: { revision } });
        // The kept answer is good enough for whoever knows no more than it.
        await keep(question);
        expect(await ask({ ...question, minRevision: revision })).toMatchObject({ kept: true });
        await expect(ask({ ...question, minRevision: revision + 1 })).rejects.toMatchObject({
          code: 'invalid_parameter',
          faults: [{ parameter: 'min_revision' }],
        });
      },
      { database: gate.database },
    );
  }));

test('an answer of the past stays for as long as its revision can be asked about', () =>
  withDump((test) =>
    withAnswers(test, async ({ ask, keep }) => {
      const { batch, revision } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
      const past = { ...ports('AAAAA', 'BBBBB'), asOf: revision };
      await keep(past);
      await withdraw(test.database, batch, test.emit);
      await rollUp(test.database, test.emit);
      expect(await keep(past)).toMatchObject({ answer: { revision } });
      await purge(test.database, { historyDays: 0, rejectedDays: 0 }, test.emit);
      await expect
        .poll(() => ask(past).catch((error: unknown) => error))
        .toMatchObject({ code: 'revision_gone' });
    }),
  ));

test('what was purged before it was heard of drops all that it may have touched', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask, keep }) => {
      const { batch } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
      await rollUp(test.database, test.emit);
      const question = ports('AAAAA', 'BBBBB');
      await keep(question);
      expect(answers.size.lanes.lanes).toBe(1);
      answers.close();
      while (answers.head.isFresh(performance.now())) await new Promise((resolve) => setTimeout(resolve, 5));
      await withdraw(test.database, batch, test.emit);
      await rollUp(test.database, test.emit);
      await purge(test.database, { historyDays: 0, rejectedDays: 0 }, test.emit);
      const { answer } = await ask(question);
      expect(answer.body).toBe(await computed(test, question, answer.revision));
      expect(answer.body).toContain('"count":3,');
      expect(test.events).toContainEqual({ kind: 'answers-dropped', reason: 'unknown', answers: 1 });
      const otherDays = { ...question, from: day - 1 };
      expect((await ask(otherDays)).answer.body).toBe(await computed(test, otherDays, answer.revision));
    }),
  ));

test('an answer from memory is confirmed within the last 100 ms: later the head is asked, once for all who wait', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask, keep }) => {
      const question = ports('AAAAA', 'BBBBB');
      await keep(question);
      answers.close();
      while (answers.head.isFresh(performance.now())) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(performance.now() - answers.head.confirmedAt).toBeGreaterThanOrEqual(freshMilliseconds);
      expect(freshMilliseconds).toBe(100);
      const key = JSON.stringify(question);
      expect(answers.kept(key, performance.now())).toBeUndefined();
      const reads = () => test.events.filter((event) => event.kind === 'statement-read').length;
      const before = reads();
      await Promise.all(Array.from({ length: 20 }, () => ask(question)));
      expect(reads() - before).toBe(1);
      expect(outcomes(test).slice(-20)).toEqual(Array.from({ length: 20 }, () => 'hit'));
      expect(answers.kept(key, performance.now())).toBeDefined();
    }),
  ));

test('while somebody asks the head is asked again and again; an idle process asks nothing', () =>
  withDump((test) =>
    withAnswers(test, async ({ ask }) => {
      const polls = () =>
        test.events.filter((event) => event.kind === 'statement-read' && event.statement === 'head').length;
      await ask(ports('AAAAA', 'BBBBB'));
      await expect.poll(polls).toBeGreaterThan(3);
      let before = -1;
      await expect
        .poll(() => [before, (before = polls())], { interval: 400, timeout: 10_000 })
        .toSatisfy(([last, now]) => last === now);
    }),
  ));

test('what is kept stays within its bytes, with the lists of who depends on what; with none, nothing is kept', () =>
  withDump(async (test) => {
    const maximum = 40_000;
    await rollUp(test.database, test.emit);
    await withAnswers(
      test,
      async ({ answers, ask }) => {
        const question = (index: number) => ({ ...ports(`A${index}`, `B${index}`), ...days });
        for (let index = 0; index < 100; index++)
          for (let times = 0; times < 2; times++) await ask(question(index));
        const { size } = answers;
        expect(size.answers).toBeGreaterThan(5);
        expect(size.answers).toBeLessThan(25);
        expect(size.pairs).toBe(size.answers);
        expect(size.lanes.lanes).toBeGreaterThan(20);
        expect(size.lanes.lanes).toBeLessThan(60);
        expect(size.bytes + size.lanes.bytes).toBeLessThanOrEqual(maximum);
        expect((await ask(question(0))).kept).toBe(false);
        expect((await ask(question(99))).kept).toBe(true);
      },
      { cacheBytes: maximum },
    );
    await withAnswers(
      test,
      async ({ answers, ask }) => {
        for (let times = 0; times < 3; times++) expect((await ask(ports('AAAAA', 'BBBBB'))).kept).toBe(false);
        expect(answers.size).toEqual({ answers: 0, pairs: 0, bytes: 0, lanes: { lanes: 0, bytes: 0 } });
      },
      { cacheBytes: 0 },
    );
  }));

test('what was packed of an answer counts, and goes with it', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, keep }) => {
      const { answer } = await keep(ports('AAAAA', 'BBBBB'));
      const { bytes } = answers.size;
      answer.packed = { gzip: Buffer.alloc(1_000) };
      answers.grown(answer);
      expect(answers.size).toMatchObject({ answers: 1, pairs: 1, bytes: bytes + 1_000 });
      answer.packed = { ...answer.packed, br: Buffer.alloc(1 << 20) };
      answers.grown(answer);
      expect(answers.size).toMatchObject({ answers: 0, pairs: 0, bytes: 0 });
      const { answer: again } = await keep(ports('AAAAA', 'BBBBB'));
      again.packed = { gzip: Buffer.alloc(1_000) };
      answers.grown(again);
      const { revision } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
      await expect.poll(() => answers.head.revision).toBe(revision);
      expect(answers.size).toMatchObject({ answers: 0, pairs: 0, bytes: 0 });
    }),
  ));

test('of an address that is longer than any question nothing is remembered', () =>
  withDump((test) =>
    withAnswers(test, async ({ answers, ask }) => {
      const question = ports('AAAAA', 'BBBBB');
      for (let times = 0; times < 3; times++) await ask(question, 'k'.repeat(513));
      expect(answers.size.answers).toBe(0);
      for (let times = 0; times < 3; times++) await ask(question, 'k'.repeat(512));
      expect(answers.size.answers).toBe(1);
    }),
  ));
