/** Statistics per day: exact, as PostgreSQL's own percentile_cont has them, at the revision of the totals. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay, parseDay } from '../../src/days.js';
import { importContent } from '../../src/ingest/import.js';
import { putPlace } from '../../src/ingest/places.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { ratesBetween, RatesSource, type RatesQuestion } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { percentile, statisticNames } from '../../src/query/statistics/definitions.js';
import { mostPrices } from '../../src/query/statistics/prices.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { publishItems, type TestItem } from '../support/publish.js';

const first = parseDay('2021-02-26') ?? 0;
const quiet = (): void => undefined;
const ports = ['AAAAA', 'BBBBB', 'CCCCC'];

const item = fc.tuple(
  fc.constantFrom(...ports),
  fc.constantFrom(...ports),
  fc.integer({ min: first, max: first + 5 }),
  fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
);

/** What the view says, by PostgreSQL's aggregates. */
async function plainly(test: TestDatabase, where: string): Promise<string[]> {
  const rows = await test.query<{ line: string }>(
    `select concat_ws(' ', day::text, sum(price)::double precision / count(*), min(price), max(price),
       percentile_cont(0.5) within group (order by price), percentile_cont(0.025) within group (order by price),
       percentile_cont(0.25) within group (order by price), percentile_cont(0.75) within group (order by price),
       percentile_cont(0.975) within group (order by price)) as line
     from fairway.items where ${where} and day >= '2021-02-24' group by day having count(*) >= 3 order by day`,
  );
  return rows.map(({ line }) => rounded(line));
}

/** Sums of doubles may differ in their last digits; prices have at most ten before the point. */
const rounded = (line: string): string =>
  line
    .split(' ')
    .map((text, index) => (index === 0 ? text : Number(text).toPrecision(14)))
    .join(' ');

async function answered(source: RatesSource, ends: Pick<RatesQuestion, 'origin' | 'destination'>) {
  const question = { ...ends, from: first - 2, to: first + 8, statistics: statisticNames };
  const { totals, statistics = new Map() } = await ratesBetween(source, question, {});
  return [...totals.counts].flatMap((count, index) => {
    const values = statisticNames.map((name) => statistics.get(name)?.[index] ?? 0);
    if (count < 3) {
      expect(values.every(Number.isNaN)).toBe(true);
      return [];
    }
    return [rounded([formatDay(totals.from + index), ...values].join(' '))];
  });
}

const lane = (origin: string, destination: string) => ({
  origin: { port: origin },
  destination: { port: destination },
});

test('for random batches, replaced and rolled up or not, statistics are what PostgreSQL makes of the items', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const source = new RatesSource(test.database);
    let days = 0;
    const batches: string[] = [];
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 30, maxLength: 90, size: 'max' }),
        fc.boolean(),
        fc.boolean(),
        async (items, replace, roll) => {
          const gone = replace ? batches.splice(0, 1) : [];
          batches.push((await publishItems(test.database, items, gone)).batch);
          if (roll) await rollUp(test.database, quiet);
          for (const origin of ports)
            for (const destination of ports) {
              const expected = await plainly(
                test,
                `orig_code = '${origin}' and dest_code = '${destination}'`,
              );
              expect(await answered(source, lane(origin, destination))).toEqual(expected);
              days += expected.length;
            }
          const places = {
            origin: { place: 'AAAAA', parameter: 'origin' },
            destination: { place: 'europe', parameter: 'destination' },
          };
          expect(await answered(source, places)).toEqual(
            await plainly(test, `orig_code = 'AAAAA' and dest_code in ('BBBBB', 'CCCCC')`),
          );
        },
      ),
      { numRuns: 25 },
    );
    expect(days).toBeGreaterThan(300);
  }));

test('percentiles lie between the closest ranks', () => {
  const sorted = Int32Array.of(10, 20, 40, 80);
  expect([0, 0.025, 0.25, 0.5, 0.75, 0.975, 1].map((share) => percentile(sorted, share))).toEqual([
    10, 10.75, 17.5, 30, 50, 77, 80,
  ]);
  expect(percentile(Int32Array.of(7), 0.5)).toBe(7);
});

test('statistics of the past are those of then, of its places too', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const items = (price: number): TestItem[] => [1, 2, 3].map((n) => ['AAAAA', 'CCCCC', first, price * n]);
    const { batch, revision } = await publishItems(test.database, items(100));
    await publishItems(test.database, items(7), [batch]);
    await putPlace(test.database, { kind: 'port', code: 'CCCCC', name: 'Ccc', parent: 'asia' }, quiet);
    const source = new RatesSource(test.database);
    const medianAt = async (asOf: number | undefined, destination: string) => {
      const { statistics } = await ratesBetween(
        source,
        {
          origin: { port: 'AAAAA' },
          destination: { place: destination, parameter: 'destination' },
          from: first,
          to: first,
          statistics: ['median'],
          ...(asOf === undefined ? {} : { asOf }),
        },
        {},
      );
      return statistics?.get('median')?.[0];
    };
    expect(await medianAt(revision, 'europe')).toBe(200);
    expect(await medianAt(revision + 1, 'europe')).toBe(14);
    expect(await medianAt(undefined, 'europe')).toBe(NaN);
    expect(await medianAt(undefined, 'asia')).toBe(14);
  }));

test('more prices than are sorted for one question are refused before they are read', () =>
  withDatabase(async (test) => {
    await publishItems(test.database, [['AAAAA', 'BBBBB', first, 10]]);
    await rollUp(test.database, quiet);
    // A rollup that says so: what it costs is known from there.
    const payload = Buffer.from([4, 1, 25, 0, 0, 0, 0, 1]);
    payload.writeUInt32BE(mostPrices + 1, 3);
    await test.query('update fairway.rollups set payload = $1', [payload]);
    const question = { ...lane('AAAAA', 'BBBBB'), from: first, to: first, statistics: ['median'] as const };
    await expect(ratesBetween(new RatesSource(test.database), question, {})).rejects.toMatchObject({
      code: 'too_costly',
    });
    expect(
      test.events.some((event) => event.kind === 'statement-read' && event.statement === 'prices-between'),
    ).toBe(false);
  }));

test('prices that were purged after they were counted: the revision is gone', () =>
  withDatabase(async ({ database }) => {
    const { batch } = await publishItems(
      database,
      [1, 2, 3].map((price): TestItem => ['AAAAA', 'BBBBB', first, price]),
    );
    await withdraw(database, batch, quiet);
    await rollUp(database, quiet);
    const read: typeof database.read = async (statement, options) => {
      if (statement.name === 'prices-between')
        await purge(database, { historyDays: 0, rejectedDays: 0 }, quiet);
      return database.read(statement, options);
    };
    const lane = { origin: { port: 'AAAAA' }, destination: { port: 'BBBBB' }, from: first, to: first };
    const question = { ...lane, asOf: 1, statistics: ['max'] as const };
    await expect(ratesBetween(new RatesSource({ ...database, read }), question, {})).rejects.toMatchObject({
      code: 'revision_gone',
      status: 410,
    });
  }));
