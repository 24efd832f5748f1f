import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ratesTable } from '../../src/cli/rates-table.js';

const rates = [
  { day: '2021-01-03', count: 3, price: 50 },
  { day: '2021-01-02', count: 2, price: null },
  { day: '2021-01-01', count: 30, price: 100 },
  { day: '2020-12-31', count: null, price: null },
];

test('a line per day, oldest first, bars in proportion', () => {
  expect(ratesTable(rates, 40, false)).toBe(
    [
      'day          price  items',
      '2020-12-31       –      0',
      '2021-01-01  100.00     30  ████████████',
      '2021-01-02       –      2',
      '2021-01-03   50.00      3  ██████',
      '– fewer than 3 items: the price is withheld',
      '',
    ].join('\n'),
  );
});

test('statistics have columns of their own, before the number of items', () => {
  const days = [{ day: '2021-01-01', count: 3, price: 50, median: 49.5, 'p97.5': null }];
  expect(ratesTable(days, 48, false)).toBe(
    ['day         price  median  p97.5  items', '2021-01-01  50.00   49.50      –      3', ''].join('\n'),
  );
});

test('it fits terminals of any width that holds its figures', () => {
  fc.assert(
    fc.property(fc.integer({ min: 28, max: 300 }), (columns) => {
      const lines = ratesTable(rates.slice(0, 1), columns, false).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }),
  );
});
