/** Answers from memory under changes: each is what is computed as of the revision it names, whatever overtakes what. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withdraw } from '../../src/ingest/withdraw.js';
import type { Served } from '../../src/query/answers.js';
import type { RatesQuestion } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import {
  computed,
  day,
  gated,
  item,
  places,
  ports,
  put,
  withAnswers,
  withDump,
  type Answering,
} from '../support/answers.js';
import type { TestDatabase } from '../support/database.js';
import { publishItems, type TestItem } from '../support/publish.js';

/** A read that the database answered at a revision, and that is handed over only after a change of the same lane was heard of. */
async function overtaken(
  test: TestDatabase,
  work: (
    race: Answering & {
      question: RatesQuestion;
      slow: Promise<Served>;
      revision: number;
      release: () => void;
    },
  ) => Promise<void>,
): Promise<void> {
  const gate = gated(test.database);
  // So that a lane that is asked about twice is read whole.
  await rollUp(test.database, test.emit);
  await withAnswers(
    test,
    async (answering) => {
      const { answers, ask, keep } = answering;
      const [question, other] = [ports('AAAAA', 'BBBBB'), ports('CCCCC', 'BBBBB')];
      await keep(other);
      await ask(question);
      gate.hold('rolled-lanes', 'totals-and-changes');
      const slow = ask(question);
      await expect.poll(gate.held).toBe(1);
      const { revision } = await publishItems(test.database, [item('AAAAA', 'BBBBB')]);
      await expect
        .poll(async () => {
          await keep(other);
          return answers.head.revision;
        })
        .toBe(revision);
      await work({ ...answering, question, slow, revision, release: gate.release });
    },
    { database: gate.database },
  );
}

test('an answer read before a change and handed over after it was heard of is not kept', () =>
  withDump((test) =>
    overtaken(test, async ({ ask, question, slow, revision, release }) => {
      release();
      expect((await slow).answer.revision).toBe(revision - 1);
      const next = await ask(question);
      expect(next).toMatchObject({ kept: false, answer: { revision } });
      expect(next.answer.body).toBe(await computed(test, question, revision));
      // Nor is the lane, which was read whole.
      const otherDays = { ...question, from: day - 1 };
      expect((await ask(otherDays)).answer.body).toBe(await computed(test, otherDays, revision));
    }),
  ));

test('nor does it go to those who asked after the change was heard of', () =>
  withDump((test) =>
    overtaken(test, async ({ ask, question, slow, revision, release }) => {
      const later = ask(question);
      release();
      expect((await slow).answer.revision).toBe(revision - 1);
      expect((await later).answer.revision).toBe(revision);
    }),
  ));

test('whatever happens, an answer is what is computed as of the revision it names, and revisions go forward', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          {
            weight: 6,
            arbitrary: fc.record({
              kind: fc.constant('ask' as const),
              which: fc.nat({ max: 11 }),
              before: fc.nat({ max: 70 }),
            }),
          },
          fc.record({
            kind: fc.constant('publish' as const),
            lanes: fc.nat({ max: 7 }),
            price: fc.nat({ max: 9 }),
          }),
          fc.record({ kind: fc.constant('replace' as const), lanes: fc.nat({ max: 7 }) }),
          fc.record({ kind: fc.constant('withdraw' as const) }),
          fc.record({
            kind: fc.constant('place' as const),
            parent: fc.constantFrom('asia', 'baltic', 'europe'),
          }),
          fc.record({ kind: fc.constant('roll up' as const) }),
          fc.record({ kind: fc.constant('wait' as const) }),
        ),
        { minLength: 30, maxLength: 60 },
      ),
      (steps) =>
        withDump((test) =>
          withAnswers(test, async ({ answers, ask }) => {
            const lanes = [
              ['AAAAA', 'BBBBB'],
              ['CCCCC', 'BBBBB'],
              ['AAAAA', 'CCCCC'],
            ] as const;
            const questions = [
              ...lanes.map(([from, to]) => ports(from, to)),
              ...lanes.map(([from, to]) => places(from, to)),
              places('asia', 'europe'),
              places('europe', 'baltic'),
              places('europe', 'europe'),
              places('AAAAA', 'europe'),
              { ...places('asia', 'europe'), statistics: ['median', 'max'] as const },
              { ...places('europe', 'asia'), asOf: 1 },
            ];
            const published: string[] = [];
            const itemsOf = (mask: number, price: number): TestItem[] =>
              lanes.flatMap(([from, to], index) =>
                mask & (1 << index) ? [item(from, to, price + 1), item(from, to, price + 5)] : [],
              );
            let newest = 0;
            for (const step of steps) {
              const last = published.at(-1);
              if (step.kind === 'ask') {
                // Many windows of few lanes, which come from lanes that are kept, and few that are kept themselves.
                const from = step.before % 3 === 0 ? day : day - step.before;
                const question = { ...(questions[step.which] ?? ports('AAAAA', 'BBBBB')), from };
                const { answer } = await ask(question);
                if (question.asOf === undefined) {
                  expect(answer.revision).toBeGreaterThanOrEqual(newest);
                  newest = answer.revision;
                }
                expect(answer.body).toBe(await computed(test, question, answer.revision));
              } else if (step.kind === 'publish')
                published.push((await publishItems(test.database, itemsOf(step.lanes, step.price))).batch);
              else if (step.kind === 'replace' && last !== undefined)
                published.push(
                  (await publishItems(test.database, itemsOf(step.lanes, 20), [published.pop() ?? ''])).batch,
                );
              else if (step.kind === 'withdraw' && last !== undefined)
                await withdraw(test.database, published.pop() ?? '', test.emit);
              else if (step.kind === 'place')
                await put(test, { kind: 'port', code: 'CCCCC', name: 'Ccc', parent: step.parent });
              else if (step.kind === 'roll up') await rollUp(test.database, test.emit);
              else if (step.kind === 'wait')
                while (answers.head.isFresh(performance.now()))
                  await new Promise((resolve) => setTimeout(resolve, 5));
            }
          }),
        ),
    ),
    { numRuns: 6 },
  ));
