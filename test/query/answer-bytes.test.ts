/** Answers as bytes: the text of numbers is what `String` makes of them, the whole what texts put together would be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstItemDay, formatDay, lastItemDay } from '../../src/days.js';
import { AnswerBytes } from '../../src/query/answer-bytes.js';
import { writeQuotient, writeWhole } from '../../src/query/quotient.js';
import { renderRates } from '../../src/query/render.js';
import type { DayStatistics } from '../../src/query/statistics/prices.js';

const bytes = Buffer.alloc(64);
const textOf = (quotient: number, start = 0): string | undefined => {
  const end = writeQuotient(bytes, start, quotient, 1);
  return end < 0 ? undefined : bytes.toString('latin1', start, end);
};

const count = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1_000_000 }));
const price = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
/** Averages as they come, dyadic fractions (whose digits may end right between two), decimal ones, and any number. */
const quotient = fc.oneof(
  fc.tuple(price, count, fc.double({ min: 0, max: 1, noNaN: true })).map(([price, count, share]) => {
    const sum = price * count + Math.floor(share * count);
    return sum / count;
  }),
  fc.tuple(fc.integer({ min: 64, max: 2 ** 22 }), fc.nat({ max: 2 ** 20 })).map(([a, b]) => a + b / 2 ** 20),
  fc.tuple(fc.nat({ max: 2 ** 40 }), fc.nat({ max: 9 })).map(([a, decimals]) => a / 10 ** decimals),
  fc.double({ min: 0, max: 4e9, noNaN: true }),
);

test('a quotient has the digits that String gives it, or is left to String', () => {
  let written = 0;
  fc.assert(
    fc.property(quotient, (number) => {
      const text = textOf(number);
      if (text === undefined) return;
      written++;
      expect(text).toBe(String(number));
    }),
    { numRuns: 100_000 },
  );
  expect(written).toBeGreaterThan(30_000);
});

test('quotients of few digits, right between two, beside a power of two and out of range', () => {
  for (const number of [
    512,
    513,
    1_000,
    999_999_999,
    1_234 + 4 / 7,
    1_023.999_999_999_999_9,
    1_024 + 2 ** -42,
    511.9,
    1_234.5,
    600.1,
    64.25,
    999_999_999.999,
  ])
    expect(textOf(number, 3)).toBe(String(number));
  // 1023917.34716796875 lies right between two of the fewest digits.
  for (const number of [0, 1_000_000_000, 1e9 + 0.5, NaN, Infinity, 1_023_917.347_167_968_75])
    expect(textOf(number)).toBeUndefined();
});

test('a whole number has the digits that String gives it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat({ max: 1_100 }), fc.nat({ max: 999_999_999 })), (number) => {
      expect(bytes.toString('latin1', 5, writeWhole(bytes, 5, number))).toBe(String(number));
    }),
    { numRuns: 5_000 },
  );
});

interface Day {
  count: number;
  sum: number;
  median: number;
}

const day: fc.Arbitrary<Day> = fc
  .record({ count: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 2 ** 40 })), price, median: fc.double() })
  .map(({ count, price, median }) => ({ count, sum: Math.min(count * price, 2 ** 53), median }));
/** Also days that no item can have, which a question may be about. */
const from = fc.oneof(
  fc.integer({ min: firstItemDay, max: lastItemDay }),
  fc.integer({ min: -700_000, max: 2_900_000 }),
  fc.constantFrom(firstItemDay - 1, lastItemDay),
);

const totalsOf = (from: number, days: readonly Day[]) => ({
  totals: { from, counts: days.map(({ count }) => count), sums: days.map(({ sum }) => sum) },
  statistics: new Map([['median', Float64Array.from(days, ({ median }) => median)]]) as DayStatistics,
});

const plainly = (from: number, days: readonly Day[], withMedian: boolean): string => {
  const texts = days.map(({ count, sum, median }, index) => {
    const more = withMedian ? `,"median":${Number.isNaN(median) ? 'null' : median}` : '';
    return `{"count":${count || 'null'},"day":"${formatDay(from + index)}","price":${count < 3 ? 'null' : sum / count}${more}}`;
  });
  return `"rates":[${texts.toReversed().join(',')}]}`;
};

test('days as bytes are what texts put together would be, whatever else is written before and after', () => {
  const answer = fc.record({
    from,
    days: fc.oneof(fc.array(day, { maxLength: 40 }), fc.array(day, { minLength: 900, maxLength: 1_200 })),
    before: fc.string({ unit: 'binary' }),
    statistics: fc.boolean(),
  });
  const written = new AnswerBytes();
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 3 }), (answers) => {
      let expected = '';
      for (const { from, days, before, statistics } of answers) {
        const asked = totalsOf(from, days);
        const values = statistics ? asked.statistics : undefined;
        written.text(before);
        written.ratesMember(asked.totals, values);
        expected += Buffer.from(before).toString() + plainly(from, days, statistics);
        expect(renderRates(asked.totals, values)).toBe(`{${plainly(from, days, statistics)}`);
      }
      expect(written.take().toString()).toBe(expected);
    }),
    { numRuns: 200 },
  );
});

test('the members of an object are as JSON has them, whatever is in them', () => {
  const written = new AnswerBytes();
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (members) => {
      written.openObject(members);
      written.text('"rates":0}');
      expect(written.take().toString()).toBe(
        Buffer.from(JSON.stringify({ ...members, rates: 0 })).toString(),
      );
    }),
  );
});

test('a text finds room, however many bytes its characters take', () => {
  const written = new AnswerBytes();
  const text = 'é€'.repeat(40_000);
  written.text(text);
  expect(written.take().toString()).toBe(text);
});

test('what was taken stays as it is while more is written', () => {
  const written = new AnswerBytes();
  written.text('first');
  const first = written.take();
  written.text('other');
  expect([first.toString(), written.take().toString()]).toEqual(['first', 'other']);
});
