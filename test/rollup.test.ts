import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay, lastItemDay } from '../src/days.js';
import { daysOfMonth, firstDayOf, packRollup, rollupMonth, unpackRollup } from '../src/rollup.js';

test('what is packed is unpacked again, in as few bytes as its numbers need', () => {
  const day = fc.record({
    count: fc.oneof(fc.constant(0), fc.nat({ max: 2 ** 32 - 1 })),
    sum: fc.nat({ max: 2 ** 47 }),
  });
  fc.assert(
    fc.property(fc.array(day, { minLength: daysOfMonth, maxLength: daysOfMonth }), (month) => {
      const payload = packRollup(
        month.map(({ count }) => count),
        month.map(({ sum }) => sum),
      );
      const wanted = month.flatMap(({ count, sum }, index) => (count === 0 ? [] : [[index, count, sum]]));
      const found: number[][] = [];
      if (payload) unpackRollup(payload, (...entry) => found.push(entry));
      expect(found).toEqual(wanted);
      if (wanted.length === 0) expect(payload).toBeUndefined();
    }),
  );
  expect(packRollup([3, 0, 3], [3_463, 0, 3_463])).toHaveLength(2 + 2 * 4);
});

test('months count from 1970-01, and each day an item can have lies in its own', () => {
  expect(rollupMonth(0)).toBe(0);
  expect(formatDay(firstDayOf(rollupMonth(lastItemDay)))).toBe('2058-12-01');
  for (let day = 0; day <= lastItemDay; day += 13) {
    const month = rollupMonth(day);
    expect(firstDayOf(month)).toBeLessThanOrEqual(day);
    expect(firstDayOf(month + 1)).toBeGreaterThan(day);
    expect(firstDayOf(month + 1) - firstDayOf(month)).toBeLessThanOrEqual(daysOfMonth);
  }
});
