/** Pairs of regions, gathered while lanes come in the order of the tree. */
import { expect, test } from 'vitest';
import { Places, type PlaceRow } from '../../src/query/places.js';
import { DaysPool } from '../../src/query/rollup/days.js';
import { PairMonths, type PairMonth } from '../../src/query/rollup/regions/pairs.js';

const region = (code: string, parent: string | null): PlaceRow => ({
  kind: 'region',
  code,
  name: code,
  parent,
});
/** Nine ports each in a, in b within a, and in c; codes in another order than the tree's. */
const parents = ['b', 'c', 'a'];
const ports = Array.from({ length: 27 }, (_, index): PlaceRow => {
  const code = `P${String(index).padStart(2, '0')}`;
  return { kind: 'port', code, name: code, parent: parents[index % 3] ?? null };
});
const places = new Places(1, [region('a', null), region('b', 'a'), region('c', null), ...ports]);

test('with lanes in the order of the tree each pair is taken once, whole, as soon as no more can come', () => {
  const pairs = new PairMonths(places);
  const one = new DaysPool().take();
  [one.counts[3], one.sums[3]] = [1, 50];
  const found = new Map<string, number>();
  let most = 0;
  const keep = (taken: PairMonth[]): void => {
    for (const { origin, destination, month, days } of taken) {
      const key = `${origin} ${destination} ${month}`;
      expect(found.has(key), key).toBe(false);
      expect(days.sums[3]).toBe((days.counts[3] ?? 0) * 50);
      found.set(key, days.counts[3] ?? 0);
    }
    pairs.giveBack(taken);
  };
  const codes = places.codes();
  expect([...codes].sort()).toEqual(ports.map(({ code }) => code));
  for (const origin of codes) {
    keep(pairs.take(origin));
    for (const destination of codes) pairs.add({ origin, destination }, 612, one);
    most = Math.max(most, pairs.size);
  }
  keep(pairs.take());
  // A port's lane to itself lies in no pair.
  expect(Object.fromEntries(found)).toEqual({
    'r/a r/a 612': 18 * 17,
    'r/a r/b 612': 9 * 17,
    'r/a r/c 612': 18 * 9,
    'r/b r/a 612': 9 * 17,
    'r/b r/b 612': 9 * 8,
    'r/b r/c 612': 9 * 9,
    'r/c r/a 612': 9 * 18,
    'r/c r/b 612': 9 * 9,
    'r/c r/c 612': 9 * 8,
  });
  expect(most).toBe(6);
});
