import { expect, test } from 'vitest';
import { importContent } from '../../src/ingest/import.js';
import { migrateAndAdopt, seed } from '../../src/ingest/prepare.js';
import { sampleSource } from '../../src/ingest/sources.js';
import { RatesSource, ratesBetween } from '../../src/query/rates.js';
import { renderRates } from '../../src/query/render.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, smallContent, textSource } from '../support/dump.js';

const sample = sampleSource({ items: 500, seed: 1 });
const state = (test: TestDatabase) =>
  test.query<{
    id: string;
    source: string;
    state: string;
    items: string;
    published_revision: string;
    withdrawn_revision: string | null;
    replaced_by: string | null;
  }>(
    'select id, source, state, items, published_revision, withdrawn_revision, replaced_by from fairway.batches order by id',
  );
const everything = (test: TestDatabase) =>
  test.query(
    'select (select revision from fairway.head) as head, (select count(*) from fairway.batches) as batches, (select count(*) from fairway.segments) as segments, (select count(*) from fairway.places) as places, (select count(*) from fairway.lanes) as lanes',
  );

test('an import is the first batch: items as rows, places, rates, one revision', () =>
  withDatabase(async (test) => {
    const result = await importContent(test.database, textSource(dumpText()));
    expect(result).toMatchObject({
      outcome: 'published',
      revision: 1,
      items: 5,
      lanes: 2,
      ports: 3,
      regions: 3,
      withdrawn: 0,
    });
    const items = await test.query(
      'select orig_code, dest_code, day::text, price from fairway.items order by 1, 2, 3, 4',
    );
    expect(items.map((item) => Object.values(item))).toEqual(smallContent.prices);
    const { revision, totals } = await ratesBetween(
      new RatesSource(test.database),
      { origin: { port: 'AAAAA' }, destination: { port: 'BBBBB' }, from: 18_628, to: 18_630 },
      {},
    );
    expect(revision).toBe(1);
    expect(JSON.parse(renderRates(totals))).toEqual({
      rates: [
        { count: null, day: '2021-01-03', price: null },
        { count: 1, day: '2021-01-02', price: null },
        { count: 3, day: '2021-01-01', price: 601 / 3 },
      ],
    });
  }));

test('the view shows the same items as the original rows, across parts and segment widths', () =>
  withDatabase(async (test) => {
    const prices = Array.from({ length: 3_000 }, (_, index): [string, string, string, number] => [
      index % 3 === 0 ? 'AAAAA' : 'CCCCC',
      'BBBBB',
      new Date(Date.UTC(1970 + (index % 89), index % 12, 1 + (index % 28))).toISOString().slice(0, 10),
      1 + ((index * 2_654_435_761) % ([200, 60_000, 15_000_000, 2 ** 31 - 2][index % 4] ?? 1)),
    ]);
    await importContent(test.database, textSource(dumpText({ prices })));
    const rows = await test.query('select orig_code, dest_code, day::text, price from fairway.items');
    expect(rows.map((row) => Object.values(row).join()).sort()).toEqual(
      prices.map((row) => row.join()).sort(),
    );
  }));

test('over the sample: one revision withdraws it and publishes the dump, places included', () =>
  withDatabase(async (test) => {
    await importContent(test.database, sample);
    const result = await importContent(test.database, textSource(dumpText()));
    expect(result).toMatchObject({ outcome: 'published', revision: 2, withdrawn: 1 });
    expect(await state(test)).toMatchObject([
      {
        source: 'sample',
        state: 'withdrawn',
        published_revision: '1',
        withdrawn_revision: '2',
        replaced_by: '2',
      },
      { source: 'dump', state: 'published', published_revision: '2', withdrawn_revision: null },
    ]);
    expect(
      await test.query(
        'select code from fairway.places where until_revision is null and kind = $1 order by 1',
        ['port'],
      ),
    ).toEqual([{ code: 'AAAAA' }, { code: 'BBBBB' }, { code: 'CCCCC' }]);
    expect(
      (
        await test.query('select count(*)::integer as count from fairway.places where until_revision = 2')
      )[0]?.['count'],
    ).toBeGreaterThan(100);
  }));

test('the same content again, its rows in another order, changes nothing', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const before = await everything(test);
    const again = await importContent(
      test.database,
      textSource(dumpText({ prices: smallContent.prices.toReversed() })),
    );
    expect(again).toMatchObject({ outcome: 'unchanged', batch: '1', revision: 1 });
    expect(await everything(test)).toEqual(before);
  }));

test('another dump over data needs replace, and without it changes nothing', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const before = await everything(test);
    const other = textSource(dumpText({ prices: smallContent.prices.slice(1) }));
    await expect(importContent(test.database, other)).rejects.toMatchObject({ code: 'dump_conflict' });
    expect(await everything(test)).toEqual(before);
    expect(await importContent(test.database, other, { replace: true })).toMatchObject({
      outcome: 'published',
      revision: 2,
      withdrawn: 1,
    });
    // Places that stay the same keep their version.
    expect(await test.query('select distinct from_revision, until_revision from fairway.places')).toEqual([
      { from_revision: '1', until_revision: null },
    ]);
  }));

test('a dump that turns out bad at its end changes nothing', () =>
  withDatabase(async (test) => {
    await importContent(test.database, sample);
    const before = await everything(test);
    const bad = [
      dumpText().slice(0, -60),
      dumpText({
        regions: [
          ['europe', 'E', 'baltic'],
          ['baltic', 'B', 'europe'],
          ['asia', 'A', null],
        ],
      }),
      dumpText({ prices: [['AAAAA', 'ZZZZZ', '2021-01-01', 5]] }),
    ];
    for (const text of bad) {
      await expect(importContent(test.database, textSource(text))).rejects.toMatchObject({
        code: 'dump_invalid',
      });
      expect(await everything(test)).toEqual(before);
    }
  }));

test('of two imports at once of one content, one publishes and the other finds it done', () =>
  withDatabase(async (test) => {
    const results = await Promise.all([1, 2].map(() => importContent(test.database, textSource(dumpText()))));
    expect(results.map((result) => result.outcome).sort()).toEqual(['published', 'unchanged']);
    expect(await state(test)).toHaveLength(1);
  }));

test('a database into which psql loaded the dump is adopted once, its tables left as they are', () =>
  withDatabase(
    async (test) => {
      await test.query('create table public.regions (slug text, name text, parent_slug text)');
      await test.query('create table public.ports (code text, name text, parent_slug text)');
      await test.query(
        'create table public.prices (orig_code text, dest_code text, day date, price integer)',
      );
      for (const row of smallContent.regions)
        await test.query('insert into public.regions values ($1, $2, $3)', row);
      for (const row of smallContent.ports)
        await test.query('insert into public.ports values ($1, $2, $3)', row);
      for (const row of smallContent.prices)
        await test.query('insert into public.prices values ($1, $2, $3, $4)', row);
      const first = await migrateAndAdopt(test.database, () => undefined);
      expect(first.adopted).toMatchObject({ items: 5, revision: 1 });
      expect((await migrateAndAdopt(test.database, () => undefined)).adopted).toBeUndefined();
      expect((await test.query('select count(*)::integer as count from public.prices'))[0]?.['count']).toBe(
        5,
      );
      // Recognised by content: the file the tables came from is what is published already.
      expect(await importContent(test.database, textSource(dumpText()))).toMatchObject({
        outcome: 'unchanged',
      });
    },
    { empty: true },
  ));

test('the seed is for databases that never had a batch', () =>
  withDatabase(async (test) => {
    await seed(test.database, 'none', () => undefined);
    expect(await state(test)).toEqual([]);
    await Promise.all([
      seed(test.database, 'sample', () => undefined),
      seed(test.database, 'sample', () => undefined),
    ]);
    expect(await state(test)).toMatchObject([{ source: 'sample', items: '50000', state: 'published' }]);
    await seed(test.database, '/nowhere.sql', () => undefined);
    expect(await state(test)).toHaveLength(1);
  }));
