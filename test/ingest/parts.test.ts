/** Batches in parts where things meet: servers, publishing, the collector, the rollups. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { rollUp } from '../../src/query/roll-up.js';
import { csv, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { type TestDatabase } from '../support/database.js';
import {
  besides,
  counted,
  digestOf,
  giveUp,
  left,
  list,
  nothing,
  open,
  opened,
  publish,
  put,
} from '../support/parts.js';
import { expireLeases, items, none, orphans, until, untilWaiting } from '../support/uploads.js';

const state = async ({ query }: TestDatabase, id: string) =>
  (await query<{ state: string }>('select state from fairway.batches where id = $1', [id]))[0]?.state;

/** A part that is being read, whose body the test sends piece by piece; its digest is that of `whole`. */
async function begin(test: BatchTest, batch: string, part: number, whole: string) {
  const reading = () =>
    test.events.filter((event) => event.kind === 'statement-read' && event.statement === 'ports-now').length;
  const before = reading();
  const body = new PassThrough();
  const answer = put(test, batch, part, body, { 'content-digest': digestOf(whole) });
  body.write(whole.slice(0, -30));
  await until(async () => reading() > before);
  return { end: () => body.end(whole.slice(-30)), answer };
}

test('no transaction is open, and nothing stored, while a part is waited for', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      const whole = csv(itemsOf(9));
      const { end, answer } = await begin(test, id, 1, whole);
      const seen = () =>
        test.query<{ count: number }>(
          "select count(*)::integer as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (backend_xmin is not null or state like 'idle in%')",
        );
      const open = async () => (await seen())[0]?.count;
      await until(async () => (await open()) === 0);
      expect(await left(test)).toMatchObject([{ parts: 0, segments: 0 }]);
      end();
      expect((await answer).statusCode).toBe(201);
    },
    { itemsPerPart: 2 },
  ));

test('the same number from two servers at once: the last one has it, whole', () =>
  withBatches(
    async (test) =>
      besides(
        test,
        async (server) => {
          for (let round = 0; round < 5; round++) {
            const id = await opened(test);
            const sizes = [11, 12, 13, 14];
            const answers = await Promise.all(
              sizes.map((size, index) => put(index % 2 ? test : { server }, id, 1, csv(itemsOf(size)))),
            );
            expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201, 201]);
            const { items } = (await list(test, id)).json<{ items: number }>();
            expect(sizes).toContain(items);
            const before = await counted(server);
            expect((await publish(test, id, 1, items)).statusCode).toBe(200);
            expect((await counted(server)) - before).toBe(items);
          }
        },
        { itemsPerPart: 2, limits: { uploads: 4 }, cacheBytes: 0 },
      ),
    { itemsPerPart: 2, limits: { uploads: 4 } },
  ));

test('the very same part from two servers at once is stored once', () =>
  withBatches(async (test) =>
    besides(test, async (server) => {
      const id = await opened(test);
      const body = csv(itemsOf(7));
      const answers = await Promise.all([test, { server }].map((sender) => put(sender, id, 1, body)));
      expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 201]));
      expect((await publish(test, id, 1, 7)).statusCode).toBe(200);
      expect(await counted(server)).toBe(7);
    }),
  ));

/** Holds the batch as a backend does that is about to commit, until both who act wait for it or one of them has acted. */
async function holding(test: BatchTest, id: string, work: () => Promise<unknown>): Promise<void> {
  await test.database.transaction(async (client) => {
    await client.query('select from fairway.batches where id = $1 for update', [id]);
    await work();
  });
}

test('publishing meets a part that takes the place of another: one comes first, and the sums are of one of them', () =>
  withBatches(
    async (test) =>
      besides(test, async (server) => {
        for (const first of ['part', 'publish'] as const) {
          const before = await counted(server);
          const id = await opened(test);
          await put(test, id, 1, csv(itemsOf(5)));
          const other = csv([...itemsOf(4), ['BBBBB', 'AAAAA', '2022-01-01', 1]]);
          const acts = {
            part: () => put(test, id, 1, other),
            publish: () => publish({ server }, id, 1, 5),
          };
          const second = first === 'part' ? 'publish' : 'part';
          let answers: Promise<unknown>[] = [];
          await holding(test, id, async () => {
            answers = [acts[first]()];
            await untilWaiting(test, 1);
            answers.push(acts[second]());
            await untilWaiting(test, 2);
          });
          const [one, two] = (await Promise.all(answers)) as Awaited<ReturnType<typeof put>>[];
          const [part, published] = first === 'part' ? [one, two] : [two, one];
          // A part that takes the lock later finds the batch published; one that was earlier is in what is published.
          expect(published?.json()).toMatchObject({ state: 'published', items: 5 });
          const stored = part?.statusCode === 201;
          expect(stored).toBe(first === 'part');
          if (!stored) expect(part?.json()).toMatchObject({ code: 'batch_state' });
          expect(published?.json()).toMatchObject({ lanes: stored ? 2 : 1 });
          expect((await counted(server)) - before).toBe(stored ? 4 : 5);
          expect(await orphans(test)).toEqual(none);
        }
      }),
    { cacheBytes: 0 },
  ));

test('a part that was under way when its batch was published, given up or collected leaves nothing', () =>
  withBatches(
    async (test) => {
      const whole = csv(itemsOf(9));
      for (const fate of ['published', 'given up', 'collected'] as const) {
        const id = await opened(test);
        await put(test, id, 1, csv(itemsOf(3)));
        const { end, answer } = await begin(test, id, fate === 'published' ? 1 : 2, whole);
        if (fate === 'published') await publish(test, id, 1, 3);
        else if (fate === 'given up') await giveUp(test, id);
        else {
          await expireLeases(test);
          await collect(test.database, test.emit);
        }
        end();
        expect((await answer).json(), fate).toMatchObject({
          code: fate === 'published' ? 'batch_state' : 'batch_unknown',
        });
        expect(await orphans(test)).toEqual(none);
      }
      expect(await items(test)).toBe(3);
      expect(await left(test)).toMatchObject([{ batches: 1, attempts: 1, parts: 1 }]);
    },
    { itemsPerPart: 2 },
  ));

test('an open batch expires after its last part, is collected with everything hidden, and its key is free', () =>
  withBatches(
    async (test) => {
      const [keyed, keyless, empty] = [await opened(test, 'k'), await opened(test), await opened(test)];
      for (const id of [keyed, keyless])
        for (const part of [1, 2]) await put(test, id, part, csv(itemsOf(5)));
      expect(await collect(test.database, test.emit)).toBe(0);
      await expireLeases(test);
      // A part, even one that is there already, is a sign of life until the collector was there.
      expect((await put(test, keyed, 2, csv(itemsOf(5)))).statusCode).toBe(200);
      expect(await collect(test.database, test.emit)).toBe(2);
      expect(await Promise.all([keyed, keyless, empty].map((id) => state(test, id)))).toEqual([
        'loading',
        undefined,
        undefined,
      ]);
      expect((await put(test, keyless, 3, csv(itemsOf(5)))).json()).toMatchObject({ code: 'batch_unknown' });
      await expireLeases(test);
      // So is a repeat of its opening.
      expect((await open(test, { key: 'k' })).json()).toMatchObject({ id: keyed, state: 'loading' });
      expect(await collect(test.database, test.emit)).toBe(0);
      await expireLeases(test);
      expect(await collect(test.database, test.emit)).toBe(1);
      expect(await left(test)).toEqual(nothing);
      expect(await opened(test, 'k')).not.toBe(keyed);
    },
    { itemsPerPart: 2 },
  ));

test('a collection that was cut off is finished by the next, and its key begins anew meanwhile', () =>
  withBatches(async (test) => {
    const id = await opened(test, 'k');
    await put(test, id, 1, csv(itemsOf(5)));
    await test.query("update fairway.attempts set state = 'dead' where batch = $1", [id]);
    for (const answer of [await put(test, id, 2, csv(itemsOf(5))), await publish(test, id, 1, 5)])
      expect(answer.json()).toMatchObject({ status: 409, code: 'batch_state' });
    expect((await list(test, id)).json()).toMatchObject({ parts: [], items: 0 });
    expect((await open(test, { key: 'k' })).json()).toMatchObject({ id, state: 'loading' });
    await put(test, id, 1, csv(itemsOf(6)));
    expect(await collect(test.database, test.emit)).toBe(1);
    expect((await publish(test, id, 1, 6)).json()).toMatchObject({ state: 'published', items: 6 });
    expect(await counted(test.server)).toBe(6);
    // Everything but the row was removed.
    const other = await opened(test, 'other');
    await test.query("update fairway.attempts set state = 'collected' where batch = $1", [other]);
    await collect(test.database, test.emit);
    expect(await state(test, other)).toBeUndefined();
    expect(await orphans(test)).toEqual(none);
  }));

test('a published batch in parts is in the rollups, and leaves them when it is withdrawn', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      for (const part of [1, 2, 3]) await put(test, id, part, csv(itemsOf(part)));
      await rollUp(test.database, test.emit);
      expect(await counted(test.server)).toBe(0);
      await publish(test, id, 3, 6);
      expect(await counted(test.server)).toBe(6);
      await rollUp(test.database, test.emit);
      expect(await test.query('select revision from fairway.rollup_state')).toEqual([{ revision: '2' }]);
      expect(await counted(test.server)).toBe(6);
      await giveUp(test, id);
      expect(await counted(test.server)).toBe(0);
      await rollUp(test.database, test.emit);
      expect(await test.query('select from fairway.rollups')).toEqual([]);
      const [days] = await test.query(
        'select first_day::text, last_day::text from fairway.batches where id = $1',
        [id],
      );
      expect(days).toEqual({ first_day: '2022-01-01', last_day: '2022-01-01' });
    },
    { itemsPerPart: 2, cacheBytes: 0 },
  ));

test('a part takes the slot of a load, and beyond the bound is told to come again', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      const whole = csv(itemsOf(3));
      const { end, answer } = await begin(test, id, 1, whole);
      const refused = await put(test, id, 2, whole);
      expect(refused.json()).toMatchObject({ status: 503, code: 'overloaded' });
      expect(refused.headers['retry-after']).toBe('2');
      end();
      expect((await answer).statusCode).toBe(201);
      expect((await put(test, id, 2, whole)).statusCode).toBe(201);
    },
    { limits: { uploads: 1, admissionMilliseconds: 60 } },
  ));
