import { expect, test } from 'vitest';
import { dayTicks, runsOf, tickTexts, valueTicks } from '../../web/scale.js';
import { summarize } from '../../web/summary.js';

const rate = (day: string, count: number | null, price: number | null) => ({ day, count, price });

const mixed = [
  rate('2021-01-01', 3, 100),
  rate('2021-01-02', 2, null),
  rate('2021-01-03', null, null),
  rate('2021-01-04', 4, 250.5),
  rate('2021-01-05', 3, 99.25),
];

test('the summary names what is known, withheld and missing', () => {
  expect(summarize(mixed).replaceAll('\u00a0', ' ')).toBe(
    '3 of 5 days have a rate. Lowest 99.25 on 5 Jan 2021, highest 250.50 on 4 Jan 2021, mean 149.92. ' +
      'On 1 day the rate is withheld: an average is given from three prices on. 1 day without any price.',
  );
  expect(summarize(mixed.slice(0, 1))).toBe('1 of 1 day has a rate. It is 100.00.');
  expect(summarize([rate('2021-01-01', 1, null)])).toMatch(
    /^None of 1 day has a rate\. On 1 day the rate is withheld/,
  );
  expect(summarize([rate('2021-01-01', null, null)])).toBe(
    'None of 1 day has a rate. No supplier has given a price for this lane in these days.',
  );
  expect(summarize([])).toMatch(/first day lies after the last/);
});

test('a day without a price is a gap, and a day that stands alone a run of its own', () => {
  expect(runsOf(mixed)).toEqual([
    [{ index: 0, price: 100 }],
    [
      { index: 3, price: 250.5 },
      { index: 4, price: 99.25 },
    ],
  ]);
  expect(runsOf([])).toEqual([]);
});

test.each([
  [1181.67, 1184.33],
  [1184.33, 1184.33],
  [0, 0],
  [1, 2_147_483_647],
  [0.1, 0.3],
  [99.99, 100.01],
])('the ticks from %d to %d are round, few, and hold all between them', (low, high) => {
  const ticks = valueTicks(low, high, 4);
  expect(ticks.length).toBeGreaterThanOrEqual(2);
  expect(ticks.length).toBeLessThanOrEqual(7);
  expect(ticks[0]).toBeLessThanOrEqual(low);
  expect(ticks.at(-1)).toBeGreaterThanOrEqual(high);
  expect(new Set(ticks).size).toBe(ticks.length);
});

test.each([1, 2, 31, 62, 90, 101, 366, 1_500, 4_000])('%d days get few names, the right ones', (days) => {
  for (const count of [2, 4, 12]) {
    const ticks = dayTicks('2019-12-15', days, count);
    expect(ticks.length, `${count}`).toBeGreaterThanOrEqual(1);
    expect(ticks.length, `${count}`).toBeLessThanOrEqual(count + 1);
    for (const { index } of ticks) expect(index).toBeLessThan(days);
  }
  expect(dayTicks('2021-01-01', 31, 4).map(({ text }) => text)).toEqual([
    '1 Jan',
    '11 Jan',
    '21 Jan',
    '31 Jan',
  ]);
  expect(dayTicks('2020-06-10', 1_000, 3).map(({ text }) => text)).toEqual(['2021', '2022', '2023']);
});

test('millions are named in short, unless two ticks would look the same', () => {
  expect(tickTexts([0, 1_000_000_000, 2_500_000_000])).toEqual(['0', '1B', '2.5B']);
  expect(tickTexts([10_000_000, 10_000_005])).toEqual(['10,000,000', '10,000,005']);
  expect(tickTexts([1_181.5, 1_182])).toEqual(['1,181.5', '1,182']);
});
