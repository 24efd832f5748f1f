/** Verifying finds what is not as it should be; rebuilding makes it so. */
import { expect, test } from 'vitest';
import { parseDay } from '../../src/days.js';
import type { Database } from '../../src/database/database.js';
import { importContent } from '../../src/ingest/import.js';
import { rebuildRollups } from '../../src/query/rebuild.js';
import { rollUp } from '../../src/query/roll-up.js';
import { verify } from '../../src/query/verify.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { publishItems, type TestItem } from '../support/publish.js';

const first = parseDay('2021-03-20') ?? 0;
const quiet = (): void => undefined;

/** 300 lanes, so that several stretches of them are compared; 600 lane-months. */
const items = (price: number): TestItem[] =>
  Array.from({ length: 600 }, (_, index): TestItem => [
    `A${index % 300}`,
    'B',
    first + (index < 300 ? 0 : 20),
    price,
  ]);

/** Three batches, one of them withdrawn; one of those that stay came after the rollups. */
async function fill({ database }: TestDatabase): Promise<void> {
  const { batch } = await publishItems(database, items(5));
  await rollUp(database, quiet);
  await publishItems(database, items(7), [batch]);
  await rollUp(database, quiet);
  await publishItems(database, items(11).slice(0, 10));
}

const rebuild = (database: Database): ReturnType<typeof rebuildRollups> =>
  rebuildRollups(database, quiet, undefined);

const rollups = ({ query }: TestDatabase): Promise<object[]> =>
  query('select lane, month, payload from fairway.rollups order by lane, month');

test('what is as it should be is verified, whether or not the rollups are behind', () =>
  withDatabase(async (test) => {
    expect(await verify(test.database)).toMatchObject({ revision: 0, faultTotal: 0, items: 0 });
    await fill(test);
    expect(await verify(test.database)).toEqual({
      revision: 3,
      rolled: 2,
      batches: 2,
      lanes: 300,
      segments: 300,
      items: 600,
      rollups: 600,
      faultTotal: 0,
      faults: [],
    });
    await rollUp(test.database, quiet);
    expect(await verify(test.database)).toMatchObject({ rolled: 3, items: 610, faultTotal: 0 });
  }));

const damages: [name: string, statement: string, fault: RegExp][] = [
  [
    'a rollup that is missing',
    `delete from fairway.rollups r using fairway.lanes l where l.id = r.lane and l.orig_code = 'A250' and r.month = (select min(month) from fairway.rollups)`,
    /^A250-B, 2021-03: there is no rollup; the items come to 1 items, 7 in all$/,
  ],
  [
    'a rollup that says something else',
    `update fairway.rollups r set payload = set_byte(payload, length(payload) - 1, 8) from fairway.lanes l
     where l.id = r.lane and l.orig_code = 'A7' and r.month = (select max(month) from fairway.rollups)`,
    /^A7-B, 2021-04: rolled up 1 items, 8 in all, the items come to 1 items, 7 in all$/,
  ],
  [
    'a rollup of nothing',
    `insert into fairway.rollups select lane, 1, payload from fairway.rollups order by lane, month limit 1`,
    /^A0-B, 1970-02: rolled up 1 items, 7 in all, but there are no items$/,
  ],
];

for (const [name, statement, fault] of damages) {
  test(`${name} is found, and rebuilding mends that one alone`, () =>
    withDatabase(async (test) => {
      await fill(test);
      const before = await rollups(test);
      await test.query(statement);
      const { faults, faultTotal } = await verify(test.database);
      expect(faults).toEqual([expect.stringMatching(fault)]);
      expect(faultTotal).toBe(1);
      expect(await rebuild(test.database)).toMatchObject({ mended: 1, rollups: 600, revision: 3 });
      expect(await verify(test.database)).toMatchObject({ rolled: 3, faultTotal: 0 });
      expect(await rollups(test)).toHaveLength(before.length);
    }));
}

test('rollups that are all gone are made again, beside somebody who rolls up', () =>
  withDatabase(async (test) => {
    await fill(test);
    await test.query('truncate fairway.rollups');
    const { faultTotal, faults } = await verify(test.database);
    expect([faultTotal, faults.length]).toEqual([600, 100]);
    const [rebuilt] = await Promise.all([rebuild(test.database), rollUp(test.database, quiet)]);
    expect(rebuilt.mended).toBeGreaterThanOrEqual(600);
    expect(await verify(test.database)).toMatchObject({ rolled: 3, rollups: 600, faultTotal: 0 });
  }));

test('items that are lost, or more than were sent, are found', () =>
  withDatabase(async (test) => {
    await fill(test);
    await test.query('delete from fairway.segments where ctid = (select max(ctid) from fairway.segments)');
    const { faults } = await verify(test.database);
    expect(faults).toContain('batch 3 was published with 10 items; its parts say 10, its segments hold 9');
    await test.query('update fairway.parts set items = 8 where items = 10');
    expect((await verify(test.database)).faults.join()).toContain('its parts say 8');
  }));

test('a head that is behind what was published is found', () =>
  withDatabase(async (test) => {
    await fill(test);
    await test.query('update fairway.head set revision = 1');
    expect((await verify(test.database)).faults).toEqual([
      'the head is at revision 1, but the last one made is 3',
      'there are 3 revisions up to 1',
      'rollups stand for revision 2, beyond the head at 1',
      '3 batches were published or withdrawn beyond the head',
    ]);
  }));

test('an error in the middle of rebuilding leaves everything as it was', () =>
  withDatabase(async (test) => {
    await fill(test);
    await test.query('delete from fairway.rollups where lane in (1, 299)');
    await test.query('alter table fairway.rollups add constraint broken check (lane <> 299)');
    await expect(rebuild(test.database)).rejects.toThrow(/broken/);
    expect(await rollups(test)).toHaveLength(596);
  }));

test('a rollup between regions that is missing, wrong or too many is found, and rebuilding mends it', () =>
  withDatabase(async (test) => {
    const ports = Array.from({ length: 9 }, (_, index): [string, string, string] => [
      `P${index}`,
      `P${index}`,
      'r',
    ]);
    const lanes = ports.flatMap(([from]) =>
      ports.map(([to]): [string, string, string, number] => [from, to, '2021-01-01', 9]),
    );
    await importContent(
      test.database,
      textSource(dumpText({ regions: [['r', 'R', null]], ports, prices: lanes })),
    );
    await rollUp(test.database, quiet);
    const there = await test.query('select * from fairway.region_rollups');
    expect(there).toMatchObject([{ origin: 'r/r', destination: 'r/r', month: 612 }]);
    const damages: [string, RegExp][] = [
      [
        'delete from fairway.region_rollups',
        /^between r\/r and r\/r, 2021-01: rolled up 0 items, .* the lanes come to 72 items, 648 in all$/,
      ],
      [
        `insert into fairway.region_rollups select 'r/X', destination, month, payload from fairway.region_rollups`,
        /^between r\/X and r\/r, 2021-01: .* come to 0 items/,
      ],
      ['update fairway.region_rollups set payload = set_byte(payload, 3, 71)', /rolled up 71 items/],
    ];
    for (const [statement, fault] of damages) {
      await test.query(statement);
      expect((await verify(test.database)).faults).toEqual([expect.stringMatching(fault)]);
      expect(await rebuild(test.database)).toMatchObject({ mended: 1 });
      expect(await test.query('select * from fairway.region_rollups')).toEqual(there);
    }
  }));
