import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayOf, formatDay, lastItemDay, monthOf, parseDay } from '../src/days.js';

const anyDay = fc.integer({ min: -719_162, max: 2_932_896 }); // 0001-01-01 to 9999-12-31

test('every day of the years 1 to 9999 survives being written and read', () => {
  fc.assert(
    fc.property(anyDay, (day) => {
      expect(parseDay(formatDay(day))).toBe(day);
    }),
  );
});

test('a date is taken exactly when the calendar has it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9999 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      (year, month, date) => {
        const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
        const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        const exists =
          year >= 1 && month >= 1 && month <= 12 && date >= 1 && date <= (lengths[month - 1] ?? 0);
        expect(dayOf(year, month, date) !== undefined).toBe(exists);
      },
    ),
  );
});

test('only ASCII digits in the form YYYY-MM-DD are a date; one digit of month and day will do', () => {
  expect(parseDay('2021-1-5')).toBe(parseDay('2021-01-05'));
  for (const text of [
    '',
    '20210101',
    '01/01/2021',
    ' 2021-01-01',
    '2021-01-01 ',
    '2021-01-01T00:00:00',
    '2021-01-001',
    '٢٠٢١-٠١-٠١',
    '２０２１-01-01',
    '+021-01-01',
    '0000-01-01',
  ]) {
    expect(parseDay(text), text).toBeUndefined();
  }
});

test('the window ends on 2058-12-31, and months are those of the calendar', () => {
  expect(formatDay(lastItemDay)).toBe('2058-12-31');
  expect(monthOf(parseDay('2021-01-31') ?? 0)).toBe(monthOf(parseDay('2021-01-01') ?? 0));
  expect(monthOf(parseDay('2021-02-01') ?? 0)).toBe(monthOf(parseDay('2021-01-31') ?? 0) + 1);
});
