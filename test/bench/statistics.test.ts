import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Histogram,
  median,
  medianRatio,
  randomNumbers,
  rotate,
  shuffle,
  slices,
} from '../../bench/support/statistics.mjs';

test('the median is the middle value, whatever the order', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('a ratio is taken within each round, so that a slow round of both does not count', () => {
  expect(medianRatio([10, 1, 10], [20, 2, 20])).toBe(0.5);
});

test('in as many rounds as there are peers, each comes once at every place', () => {
  const rounds = [0, 1, 2].map((round) => rotate(['a', 'b', 'c'], round));
  for (const place of [0, 1, 2]) expect(rounds.map((round) => round[place]).sort()).toEqual(['a', 'b', 'c']);
  expect(rotate(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
});

test('shuffling loses nothing and is the same for the same seed', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
      const first = shuffle([...values], randomNumbers(seed));
      expect(shuffle([...values], randomNumbers(seed))).toEqual(first);
      const ascending = (a: number, b: number): number => a - b;
      expect(first.sort(ascending)).toEqual([...values].sort(ascending));
    }),
  );
});

test('slices are of one size and share nothing', () => {
  expect(slices([1, 2, 3, 4, 5, 6, 7], 3, 10)).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  expect(slices([1, 2, 3, 4], 2, 1)).toEqual([[1], [2]]);
});

test('quantiles of latencies are right to 10 µs', () => {
  const latencies = new Histogram();
  for (let index = 1; index <= 100; index++) latencies.add(index / 10);
  latencies.add(60_000);
  expect(latencies.total).toBe(101);
  expect(latencies.quantile(0.5)).toBeCloseTo(5.1, 1);
  expect(latencies.quantile(1)).toBeGreaterThanOrEqual(1_000);
});
