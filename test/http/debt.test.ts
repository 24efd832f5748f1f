/** Rollups far behind: no batch is published until they caught up, everything else goes on. */
import { expect, test } from 'vitest';
import type { UploadContext } from '../../src/ingest/upload/context.js';
import { readDebt, RollupDebt, type RollupDebtOptions } from '../../src/ingest/debt/debt.js';
import { rollUp } from '../../src/query/roll-up.js';
import { csv, importPlaces, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { counted, opened, publish, put } from '../support/parts.js';
import { withDatabase, type TestDatabase } from '../support/database.js';

/** Of a database that is there only once the test runs. */
interface Late {
  debt: UploadContext['debt'];
  over: (test: TestDatabase, more?: Partial<RollupDebtOptions>) => void;
}

const debtOf = ({ database }: TestDatabase, more: Partial<RollupDebtOptions>): RollupDebt =>
  new RollupDebt({
    measure: () => readDebt(database),
    bound: 2,
    waitMilliseconds: 0,
    keptMilliseconds: 0,
    onBehind: () => undefined,
    ...more,
  });

function late(): Late {
  let debt: RollupDebt | undefined;
  return {
    debt: { admit: async () => debt?.admit() },
    over: (test, more = {}) => void (debt = debtOf(test, more)),
  };
}

/** Two batches that nobody rolls up, and nothing before them. */
async function twoBehind(test: BatchTest): Promise<string[]> {
  await rollUp(test.database, test.emit);
  const answers = [
    await test.post(csv(itemsOf(3)), { key: 'a' }),
    await test.post(csv(itemsOf(4)), { key: 'b' }),
  ];
  return answers.map((answer) => answer.json<{ id: string }>().id);
}

const metric = async ({ server }: BatchTest, name: string): Promise<number> => {
  const { body } = await server.inject({ url: '/metrics' });
  return Number(new RegExp(`^fairway_rollup_debt_${name} (\\S+)$`, 'm').exec(body)?.[1]);
};

test('at the bound a batch is refused with 503 that says why; repeats, trials, reads and withdrawals go on; rolled up, it is taken', () => {
  const { debt, over } = late();
  return withBatches(
    async (test) => {
      let told = 0;
      over(test, { onBehind: () => told++ });
      const [first] = await twoBehind(test);
      expect(told).toBe(0);
      const refused = await test.post(csv(itemsOf(5)), { key: 'c' });
      expect(refused.statusCode).toBe(503);
      expect(refused.headers['retry-after']).toBe('2');
      expect(refused.json()).toMatchObject({
        code: 'rollups_behind',
        detail: expect.stringMatching(
          /stand for revision 1 of 3; batches that wait to be rolled up: 2, with 7 items/,
        ) as string,
        debt_batches: 2,
        debt_items: 7,
        rolled_revision: 1,
      });
      expect(told).toBe(1);
      expect(await test.query("select from fairway.batches where idempotency_key = 'c'")).toEqual([]);
      expect((await test.post(csv(itemsOf(3)), { key: 'a' })).statusCode).toBe(200);
      expect((await test.post(csv(itemsOf(5)), { query: '?dry_run=true' })).statusCode).toBe(200);
      expect(await counted(test.server)).toBe(7);
      const withdrawn = await test.server.inject({ method: 'DELETE', url: `/batches/${first}` });
      expect(withdrawn.json()).toMatchObject({ state: 'withdrawn' });
      await rollUp(test.database, test.emit);
      expect((await test.post(csv(itemsOf(5)), { key: 'c' })).statusCode).toBe(201);
    },
    { debt },
  );
});

test('a batch waits for the rollups, and a short wait is no refusal', () => {
  const { debt, over } = late();
  return withBatches(
    async (test) => {
      await importPlaces(test);
      let rolling: Promise<unknown> | undefined;
      over(test, {
        waitMilliseconds: 60_000,
        onBehind: () => void (rolling ??= rollUp(test.database, test.emit)),
      });
      await twoBehind(test);
      expect((await test.post(csv(itemsOf(5)), { key: 'c' })).statusCode).toBe(201);
      expect(rolling).toBeDefined();
      await rolling;
    },
    { debt },
  );
});

test('a batch in parts takes parts and is published once the rollups allow; repeats of that find it', () => {
  const { debt, over } = late();
  return withBatches(
    async (test) => {
      over(test);
      await twoBehind(test);
      const id = await opened(test);
      expect((await put(test, id, 1, csv(itemsOf(3)))).statusCode).toBe(201);
      const refused = await publish(test, id, 1, 3);
      expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([503, 'rollups_behind']);
      await rollUp(test.database, test.emit);
      expect((await publish(test, id, 1, 3)).json()).toMatchObject({ state: 'published' });
      await test.post(csv(itemsOf(1)));
      expect((await test.post(csv(itemsOf(1)))).statusCode).toBe(503);
      expect((await publish(test, id, 1, 3)).json()).toMatchObject({ state: 'published' });
    },
    { debt },
  );
});

test('metrics say how many batches, items and revisions wait: those that came and those that went', () =>
  withBatches(async (test) => {
    const all = async (): Promise<number[]> => [
      await metric(test, 'batches'),
      await metric(test, 'items'),
      await metric(test, 'revisions'),
    ];
    const [first] = await twoBehind(test);
    expect(await all()).toEqual([2, 7, 2]);
    await rollUp(test.database, test.emit);
    expect(await all()).toEqual([0, 0, 0]);
    await test.server.inject({ method: 'DELETE', url: `/batches/${first}` });
    expect(await all()).toEqual([1, 3, 1]);
  }));

test('whoever asks within 100 ms shares one statement, and tells of it once; without a bound nobody asks', () =>
  withDatabase(async (test) => {
    let asked = 0;
    const measure = (): ReturnType<typeof readDebt> => {
      asked++;
      return readDebt(test.database);
    };
    const watched = debtOf(test, { measure, keptMilliseconds: 100 });
    await Promise.all(Array.from({ length: 50 }, () => watched.admit()));
    expect(asked).toBe(1);
    let told = 0;
    const behind = { revision: 9, revisions: 9, batches: 9, items: 9 };
    const full = debtOf(test, {
      measure: () => Promise.resolve(behind),
      keptMilliseconds: 60_000,
      onBehind: () => told++,
    });
    await Promise.allSettled(Array.from({ length: 50 }, () => full.admit()));
    expect(told).toBe(1);
    await debtOf(test, { measure, bound: 0 }).admit();
    expect(asked).toBe(1);
  }));
