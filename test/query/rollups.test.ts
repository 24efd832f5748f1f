/** Rollups: right at every moment, whatever was rolled up already, and their cost independent of the batches before. */
import type { QueryConfig } from 'pg';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay, parseDay } from '../../src/days.js';
import { Pace } from '../../src/pace.js';
import { ratesBetween, RatesSource } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { rolledLanes, totalsOfLanes } from '../../src/query/sql.js';
import { rollupMonth } from '../../src/rollup.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems, type TestItem } from '../support/publish.js';

const first = parseDay('2020-12-28') ?? 0;
const days = 40;
const ports = ['AAAAA', 'BBBBB', 'CCCCC'];
const quiet = (): void => undefined;

const sourceOf = ({ database }: TestDatabase): RatesSource => new RatesSource(database);

const question = (origin: string, destination: string, from = first, to = first + days) => ({
  origin: { port: origin },
  destination: { port: destination },
  from,
  to,
});

const item = fc.tuple(
  fc.constantFrom(...ports),
  fc.constantFrom(...ports),
  fc.integer({ min: first, max: first + days - 1 }),
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      publish: fc.array(item, { minLength: 1, maxLength: 20 }),
      replace: fc.option(fc.nat()),
    }),
  },
  { weight: 2, arbitrary: fc.constant('roll up' as const) },
);

/** What plain SQL says of a lane, over the view of items. */
async function plainly(test: TestDatabase, origin: string, destination: string): Promise<string[]> {
  const rows = await test.query<{ day: string; count: string; sum: string }>(
    `select day::text, count(*), sum(price) from fairway.items where orig_code = $1 and dest_code = $2 group by 1 order by 1`,
    [origin, destination],
  );
  return rows.map(({ day, count, sum }) => `${day} ${count} ${sum}`);
}

async function answered(source: RatesSource, origin: string, destination: string): Promise<string[]> {
  const { totals } = await ratesBetween(source, question(origin, destination), {});
  return [...totals.counts].flatMap((count, index) =>
    count === 0 ? [] : [`${formatDay(totals.from + index)} ${count} ${totals.sums[index]}`],
  );
}

async function compareAll(test: TestDatabase, source: RatesSource): Promise<void> {
  for (const origin of ports)
    for (const destination of ports)
      expect(await answered(source, origin, destination)).toEqual(await plainly(test, origin, destination));
}

test('for random histories of publishing, replacing and rolling up, an answer is what plain SQL says', async () => {
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), (steps) =>
      withDatabase(async (test) => {
        const source = sourceOf(test);
        const published: string[] = [];
        for (const next of steps) {
          if (next === 'roll up') await rollUp(test.database, quiet);
          else {
            const gone =
              next.replace === null ? [] : published.splice(next.replace % (published.length + 1), 1);
            published.push((await publishItems(test.database, next.publish, gone)).batch);
          }
          await compareAll(test, source);
          answers++;
        }
        await rollUp(test.database, quiet);
        await compareAll(test, source);
      }),
    ),
    { numRuns: 20 },
  );
  expect(answers).toBeGreaterThanOrEqual(40);
});

test('rolling up twice, or in two processes at once, counts nothing twice', () =>
  withDatabase(async (test) => {
    const source = sourceOf(test);
    const items: TestItem[] = [
      ['AAAAA', 'BBBBB', first, 10],
      ['AAAAA', 'BBBBB', first, 30],
    ];
    await publishItems(test.database, items);
    await Promise.all(Array.from({ length: 4 }, () => rollUp(test.database, quiet)));
    expect(await rollUp(test.database, quiet)).toBeUndefined();
    expect(await answered(source, 'AAAAA', 'BBBBB')).toEqual(['2020-12-28 2 40']);
    const { rows } = await test.database.transaction((client) =>
      client.query('select revision from fairway.rollup_state'),
    );
    expect(rows).toEqual([{ revision: '1' }]);
  }));

test('rolling up books its work where loads book theirs, so that it rests as they do', () =>
  withDatabase(async (test) => {
    const pace = Pace.of(50);
    const booked = (): bigint => Atomics.load(new BigInt64Array(pace.shared.timeline), 0);
    await publishItems(test.database, [['AAAAA', 'BBBBB', first, 10]]);
    expect(booked()).toBe(0n);
    await rollUp(test.database, quiet, pace);
    expect(booked()).toBeGreaterThan(0n);
    expect(await answered(sourceOf(test), 'AAAAA', 'BBBBB')).toEqual(['2020-12-28 1 10']);
  }));

test('rolling up that fails in the middle leaves rollups and their revision as they were', () =>
  withDatabase(async (test) => {
    const source = sourceOf(test);
    const { batch } = await publishItems(test.database, [['AAAAA', 'BBBBB', first, 10]]);
    await rollUp(test.database, quiet);
    await publishItems(
      test.database,
      [
        ['AAAAA', 'BBBBB', first, 30],
        ['CCCCC', 'BBBBB', first, 5],
      ],
      [batch],
    );
    await test.query('alter table fairway.rollup_state add constraint broken check (revision < 2)');
    await expect(rollUp(test.database, quiet)).rejects.toThrow(/broken/);
    await compareAll(test, source);
    await test.query('alter table fairway.rollup_state drop constraint broken');
    expect(await rollUp(test.database, quiet)).toMatchObject({ revision: 2, batches: 2, rows: 2 });
    await compareAll(test, source);
  }));

test('more months than are written at once, and sums as large as they come', () =>
  withDatabase(async (test) => {
    const source = sourceOf(test);
    const many: TestItem[] = Array.from({ length: 25_000 }, (_, index): TestItem => [
      `P${index % 25}`,
      `Q${Math.floor(index / 25) % 2}`,
      (index % 500) * 31,
      1 + (index % 7),
    ]);
    const large: TestItem[] = Array.from({ length: 70_000 }, (): TestItem => [
      'AAAAA',
      'BBBBB',
      first,
      2 ** 31 - 1,
    ]);
    await publishItems(test.database, [...many, ...large]);
    await rollUp(test.database, quiet);
    expect(await answered(source, 'AAAAA', 'BBBBB')).toEqual([`2020-12-28 70000 ${70_000 * (2 ** 31 - 1)}`]);
    const [{ items } = { items: '' }] = await test.query<{ items: string }>(
      'select count(*) as items from fairway.items',
    );
    expect(Number(items)).toBe(95_000);
    const [{ rows } = { rows: 0 }] = await test.query<{ rows: number }>(
      'select count(*)::integer as rows from fairway.rollups',
    );
    const [{ months } = { months: 0 }] = await test.query<{ months: number }>(
      "select count(distinct (orig_code, dest_code, date_trunc('month', day)))::integer as months from fairway.items",
    );
    expect(rows).toBe(months);
  }));

/** Pages that a statement touches, by PostgreSQL's own count. */
async function buffers({ database }: TestDatabase, statement: QueryConfig): Promise<number> {
  const { rows } = await database.withClient((client) =>
    client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, format json) ${statement.text}`,
      statement.values,
    ),
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

test('the pages read for a lane’s month depend neither on the batches before nor, by their number, on those since; in the past likewise', () =>
  withDatabase(async (test) => {
    const lane = {
      origin: 'AAAAA',
      destination: 'BBBBB',
      from: first,
      to: first + 3,
      fromMonth: rollupMonth(first),
      toMonth: rollupMonth(first),
    };
    const busy: TestItem[] = Array.from({ length: 20 }, (_, index): TestItem => [
      'AAAAA',
      'BBBBB',
      first + (index % 4),
      5 + index,
    ]);
    const measure = async (batches: number): Promise<{ rolled: number; behind: number; past: number }> => {
      for (let batch = 0; batch < batches; batch++) await publishItems(test.database, busy);
      await rollUp(test.database, quiet);
      await test.query(
        'vacuum analyze fairway.rollups, fairway.batches, fairway.segments, fairway.lanes, fairway.rollup_state, fairway.head',
      );
      const rolled = await buffers(test, rolledLanes([lane]));
      await publishItems(test.database, busy);
      const behind = await buffers(test, totalsOfLanes([lane], 'now'));
      await rollUp(test.database, quiet);
      const [{ revision } = { revision: '' }] = await test.query<{ revision: string }>(
        'select revision from fairway.head',
      );
      const past = await buffers(test, totalsOfLanes([lane], Number(revision) - 3));
      return { rolled, behind, past };
    };
    const few = await measure(10);
    const many = await measure(990);
    expect(few.rolled).toBeLessThan(20);
    // A level more in an index is what a hundred times as many rows may cost.
    expect(many.rolled).toBeLessThanOrEqual(few.rolled + 3);
    expect(many.behind).toBeLessThanOrEqual(few.behind + 12);
    // As of three revisions ago, only the batches since are looked at.
    expect(many.past).toBeLessThanOrEqual(few.past + 12);
  }));
