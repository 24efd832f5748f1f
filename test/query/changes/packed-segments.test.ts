/** Of segments that came since the rollups only what lies near the days asked for is sent: never an item too few. */
import { expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.js';
import { firstItemDay, lastItemDay } from '../../../src/days.js';
import { daysOf } from '../../../src/query/between.js';
import { readLanes } from '../../../src/query/lane-reader.js';
import { addUpRows, type DayTotals } from '../../../src/query/totals.js';
import { withDatabase } from '../../support/database.js';
import { publishItems, type TestItem } from '../../support/publish.js';

const first = 18_000;

/** Items of days that follow no line: many on some days, then none for years. */
const lanes: Record<string, number[]> = {
  'one item': [40],
  'two items, years apart': [0, 2_000],
  'all on two days, years apart': [...Array<number>(30).fill(3), ...Array<number>(30).fill(900)],
  'one after the other': Array.from({ length: 300 }, (_, index) => index),
  'thinner and thinner': Array.from({ length: 60 }, (_, index) => index * index),
  'several a day, over three years': Array.from({ length: 200 }, (_, index) => (index >> 2) * 21),
  'within the days that one byte can tell': Array.from({ length: 100 }, (_, index) => (index * 37) % 256),
};

/** Totals of the only batch, and how many bytes of segments they took. */
async function ask(database: Database, lane: string, from: number, to: number): Promise<[DayTotals, number]> {
  const question = { origin: lane, destination: 'TO', ...daysOf({ from, to }) };
  const { perQuestion } = await readLanes(database, [question], { first: [1], last: [1], change: [1] }, {});
  const rows = perQuestion[0] ?? [];
  return [
    addUpRows(rows, { from, to }),
    rows.reduce((sum, { segments }) => sum + (segments?.length ?? 0), 0),
  ];
}

test('whatever the days of a segment and those asked for, all that was published is counted', () =>
  withDatabase(async ({ database }) => {
    const items = Object.entries(lanes).flatMap(([lane, days]) =>
      days.map((day, index): TestItem => [lane, 'TO', first + day, index + 1]),
    );
    await publishItems(database, items);
    for (const [lane, days] of Object.entries(lanes)) {
      const edges = [0, 1, 127, 128, 255, 256, 899, 900, 901].concat(
        days.filter((_, index) => index % 9 === 0),
      );
      for (const day of edges) {
        for (const [before, after] of [
          [0, 0],
          [1, 0],
          [0, 1],
          [15, 15],
          [400, 0],
          [0, 400],
        ] as const) {
          const [from, to] = [first + day - before, first + day + after];
          const [{ counts, sums }] = await ask(database, lane, from, to);
          const wanted = days.flatMap((at, index) =>
            first + at >= from && first + at <= to ? [{ at: first + at - from, price: index + 1 }] : [],
          );
          const expected = { counts: counts.map(() => 0), sums: sums.map(() => 0) };
          for (const { at, price } of wanted) {
            expected.counts[at] = (expected.counts[at] ?? 0) + 1;
            expected.sums[at] = (expected.sums[at] ?? 0) + price;
          }
          expect({ lane, from, to, counts, sums }).toEqual({ lane, from, to, ...expected });
        }
      }
      const [all, bytes] = await ask(database, lane, first - 50, first + 3_949);
      expect(all.counts.reduce((sum, count) => sum + count, 0)).toBe(days.length);
      const [, ofMonth] = await ask(database, lane, first + 600, first + 630);
      if (lane.startsWith('several a day')) expect(ofMonth).toBeLessThan(bytes / 3);
    }
  }));

test('a segment of all days that items can have, asked for days beyond them', () =>
  withDatabase(async ({ database }) => {
    await publishItems(database, [
      ['FROM', 'TO', firstItemDay, 5],
      ['FROM', 'TO', lastItemDay, 7],
    ]);
    for (const [from, to, sums] of [
      [firstItemDay - 3_000, firstItemDay, 5],
      [firstItemDay + 1, firstItemDay + 4_000, 0],
      [lastItemDay - 4_000, lastItemDay - 1, 0],
      [lastItemDay, lastItemDay + 3_999, 7],
    ] as const) {
      const [totals] = await ask(database, 'FROM', from, to);
      expect(totals.sums.reduce((sum, of) => sum + of, 0)).toBe(sums);
    }
  }));
