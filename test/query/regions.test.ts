/** Rates between places, compared with a plain recursive SQL over the items, for random trees. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDay } from '../../src/days.js';
import { importContent } from '../../src/ingest/import.js';
import { putPlace } from '../../src/ingest/places.js';
import { ratesBetween, RatesSource } from '../../src/query/rates.js';
import { renderRates } from '../../src/query/render.js';
import { sourcesBetween } from '../../src/query/sources/sources.js';
import { rollUp } from '../../src/query/roll-up.js';
import { verify } from '../../src/query/verify.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { dumpText, textSource, type DumpContent } from '../support/dump.js';

const regionCount = 7;
/** So many that regions of all of them, and of more than half, have rollups of their own. */
const portCount = 12;
const regionName = (index: number): string => `r${index}`;
const portCode = (index: number): string => `P${index}`;
const indexBelow = (count: number) => fc.nat({ max: count - 1 });

/** Regions whose parent comes before them (none of them a cycle), ports anywhere in them, items between any two ports. */
const content: fc.Arbitrary<Required<DumpContent>> = fc.record({
  regions: fc
    .tuple(
      ...Array.from({ length: regionCount }, (_, index) =>
        fc.option(fc.nat({ max: Math.max(0, index - 1) })),
      ),
    )
    .map((parents) =>
      parents.map((parent, index): [string, string, string | null] => [
        regionName(index),
        `Region ${index}`,
        index === 0 || parent === null ? null : regionName(parent),
      ]),
    ),
  ports: fc
    .array(indexBelow(regionCount), { minLength: portCount, maxLength: portCount })
    .map((parents) =>
      parents.map((parent, index): [string, string, string] => [
        portCode(index),
        `Port ${index}`,
        regionName(parent),
      ]),
    ),
  prices: fc.array(
    fc
      .tuple(
        indexBelow(portCount),
        indexBelow(portCount),
        fc.constantFrom('2021-01-01', '2021-01-02'),
        fc.integer({ min: 1, max: 90_000 }),
      )
      .map(([from, to, day, price]): [string, string, string, number] => [
        portCode(from),
        portCode(to),
        day,
        price,
      ]),
    { minLength: 1, maxLength: 120 },
  ),
});

const place = fc.oneof(indexBelow(regionCount).map(regionName), indexBelow(portCount).map(portCode));

/** As an analyst would write it by hand. */
const plain = `
  with recursive below as (
    select slug as root, slug from now_regions
    union all select b.root, r.slug from below b join now_regions r on r.parent = b.slug
  ), ports_of as (
    select b.root as name, p.code from below b join now_ports p on p.parent = b.slug
    union all select code, code from now_ports
  ), now_items as (
    select distinct on (o.code, d.code) o.code as orig_code, d.code as dest_code
    from ports_of o cross join ports_of d where o.name = $1 and d.name = $2 and o.code <> d.code
  )
  select i.day::text, count(*)::integer, avg(i.price)::double precision as price
  from now_items l join fairway.items i using (orig_code, dest_code) group by 1 order by 1 desc`;
const views = `
  create view now_regions as select code as slug, parent from fairway.places where kind = 'region' and until_revision is null;
  create view now_ports as select code, parent from fairway.places where kind = 'port' and until_revision is null`;

async function compare(
  test: TestDatabase,
  source: RatesSource,
  origin: string,
  destination: string,
): Promise<void> {
  const answer = await ratesBetween(
    source,
    {
      origin: { place: origin, parameter: 'origin' },
      destination: { place: destination, parameter: 'destination' },
      from: parseDay('2021-01-01') ?? 0,
      to: parseDay('2021-01-02') ?? 0,
    },
    {},
  );
  const { rates } = JSON.parse(renderRates(answer.totals)) as {
    rates: { day: string; count: number | null; price: number | null }[];
  };
  const wanted = await test.query<{ day: string; count: number; price: number }>(plain, [
    origin,
    destination,
  ]);
  expect(rates.filter((rate) => rate.count !== null)).toEqual(
    wanted.map(({ day, count, price }) => ({
      day,
      count,
      price: count < 3 ? null : (expect.closeTo(price, 6) as number),
    })),
  );
}

const quiet = (): void => undefined;

/** Every other item, as a batch of its own. */
const some = (prices: Required<DumpContent>['prices'], first: number): TestItem[] =>
  prices.flatMap(([origin, destination, day, price], index): TestItem[] =>
    index % 2 === first ? [[origin, destination, parseDay(day) ?? 0, Number(price)]] : [],
  );

test('for random trees of regions, ports moved about in them, and items, a rate is what plain SQL says', async () => {
  let compared = 0;
  const statements = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      content,
      fc.array(fc.tuple(place, place), { minLength: 6, maxLength: 6 }),
      fc.array(fc.tuple(indexBelow(portCount), indexBelow(regionCount)), { maxLength: 2 }),
      (dump, questions, moves) =>
        withDatabase(async (test) => {
          await importContent(test.database, textSource(dumpText(dump)));
          await test.query(views);
          const source = new RatesSource(test.database);
          const compareAll = async (): Promise<void> => {
            for (const [origin, destination] of questions) await compare(test, source, origin, destination);
            // Nearly all ports lie there: it has rollups of its own.
            await compare(test, source, regionName(0), regionName(0));
          };
          const rolled = async (): Promise<void> => {
            await rollUp(test.database, quiet);
            await compareAll();
            expect((await verify(test.database)).faults).toEqual([]);
          };
          await compareAll();
          await rolled();
          const { batch } = await publishItems(test.database, some(dump.prices, 0));
          await compareAll();
          await rolled();
          await publishItems(test.database, some(dump.prices, 1), [batch]);
          await compareAll();
          await rolled();
          for (const [port, region] of moves) {
            const [code, name, parent] = [portCode(port), `Port ${port}`, regionName(region)];
            await putPlace(test.database, { kind: 'port', code, name, parent }, () => undefined);
            await compareAll();
            await rolled();
          }
          compared += questions.length;
          for (const event of test.events)
            if (event.kind === 'statement-read') statements.add(event.statement);
        }),
    ),
    { numRuns: 15 },
  );
  expect(compared).toBeGreaterThanOrEqual(90);
  // Rollups between places were read, alone and with what came since.
  expect([...statements]).toEqual(
    expect.arrayContaining(['totals-of-pair', 'totals-of-pair-and-changes', 'totals-between-and-changes']),
  );
});

test('a lane counts once where regions overlap, and none goes from a port to itself', () =>
  withDatabase(async (test) => {
    const prices: DumpContent['prices'] = [
      ['AAAAA', 'BBBBB', '2021-01-01', 10],
      ['AAAAA', 'BBBBB', '2021-01-01', 20],
      ['AAAAA', 'BBBBB', '2021-01-01', 30],
      ['AAAAA', 'AAAAA', '2021-01-01', 1_000],
    ];
    await importContent(test.database, textSource(dumpText({ prices })));
    await test.query(views);
    await putPlace(
      test.database,
      { kind: 'region', code: 'asia', name: 'Asia', parent: 'europe' },
      () => undefined,
    );
    const source = new RatesSource(test.database);
    // asia now lies within europe: both ends overlap in AAAAA.
    for (const [origin, destination] of [
      ['asia', 'europe'],
      ['europe', 'europe'],
      ['AAAAA', 'europe'],
      ['AAAAA', 'AAAAA'],
    ])
      await compare(test, source, origin ?? '', destination ?? '');
    const question = { from: parseDay('2021-01-01') ?? 0, to: parseDay('2021-01-01') ?? 0 };
    const asked = async (origin: { port: string } | { place: string; parameter: string }) =>
      renderRates((await ratesBetween(source, { ...question, origin, destination: origin }, {})).totals);
    expect(await asked({ place: 'europe', parameter: 'origin' })).toContain(
      '"count":3,"day":"2021-01-01","price":20}',
    );
    // As the original service has it: asked for by code, a port to itself is a lane like any other.
    expect(await asked({ port: 'AAAAA' })).toContain('"count":1,');
    expect(await asked({ place: 'AAAAA', parameter: 'origin' })).toContain('"count":null,');
  }));

test('a question asked while places change is answered by one revision', () =>
  withDatabase(async (test) => {
    await importContent(
      test.database,
      textSource(
        dumpText({
          prices: ['AAAAA', 'CCCCC'].flatMap((origin, index) =>
            Array.from({ length: 3 + index }, (): [string, string, string, number] => [
              origin,
              'BBBBB',
              '2021-01-01',
              100,
            ]),
          ),
        }),
      ),
    );
    const source = new RatesSource(test.database);
    const state = { moving: true };
    const move = (async () => {
      for (let round = 0; state.moving; round++) {
        const parent = round % 2 === 0 ? 'europe' : 'asia';
        await putPlace(test.database, { kind: 'port', code: 'AAAAA', name: 'Aaa', parent }, () => undefined);
      }
    })();
    const day = parseDay('2021-01-01') ?? 0;
    const end = (place: string) => ({ place, parameter: 'origin' });
    const seen = new Set<string>();
    try {
      for (let round = 0; round < 300; round++) {
        const { revision, totals } = await ratesBetween(
          source,
          { origin: end('europe'), destination: end('BBBBB'), from: day, to: day },
          {},
        );
        // Revision 1 is the import, which has AAAAA in asia; every even one moved it to europe, every odd one back.
        const wanted = revision % 2 === 0 ? 7 : 4;
        expect(totals.counts[0], `revision ${revision}`).toBe(wanted);
        seen.add(String(wanted));
        const behind = await sourcesBetween(source, { origin: 'europe', destination: 'BBBBB', day }, {});
        expect(
          behind.batches.reduce((sum, { counts }) => sum + (counts[0] ?? 0), 0),
          `batches of revision ${behind.revision}`,
        ).toBe(behind.revision % 2 === 0 ? 7 : 4);
      }
    } finally {
      state.moving = false;
      await move;
    }
    expect(seen.size).toBe(2);
  }));
