/** Rates as text: in go totals and statistics per day, out comes the answer as JSON or CSV, days descending. */
import { AnswerBytes } from './answer-bytes.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { fewestItems } from './fewest-items.js';
import type { Statistic } from './statistics/definitions.js';
import type { DayStatistics } from './statistics/prices.js';
import type { DayTotals } from './totals.js';

const dayTexts = new Map<number, string>();

/** Text of a day; those that items can have are kept, at most 32,507 of them. */
export function dayText(day: number): string {
  let text = dayTexts.get(day);
  if (text !== undefined) return text;
  text = formatDay(day);
  if (day >= firstItemDay && day <= lastItemDay) dayTexts.set(day, text);
  return text;
}

const priceText = (count: number, sum: number): string =>
  count < fewestItems ? 'null' : String(sum / count);

/** Count and price of one day as members of a JSON object, as `renderRates` has them. */
export const renderRate = (count: number, sum: number): string =>
  `"count":${count === 0 ? 'null' : count},"price":${priceText(count, sum)}`;

const bytes = new AnswerBytes();

/**
 * `count` is null for none; `price` the sum over the count in double precision, null below `fewestItems`, as is every
 * statistic.
 */
export function renderRates(totals: DayTotals, statistics?: DayStatistics): string {
  bytes.rates(totals, statistics);
  return bytes.takeText();
}

/** The columns of `csvOfRates`. */
export const ratesColumns = (statistics: readonly Statistic[] = []): string[] => [
  'day',
  'price',
  'count',
  ...statistics,
];

/** Lines of CSV, without the header; each begins with `before`. What is null is empty, a count of none is 0. */
export function csvOfRates(
  { from, counts, sums }: DayTotals,
  statistics: DayStatistics | undefined,
  before = '',
): string {
  const lines: string[] = [];
  for (let index = counts.length - 1; index >= 0; index--) {
    const count = counts[index] ?? 0;
    const price = count < fewestItems ? '' : String((sums[index] ?? 0) / count);
    const more = statistics
      ? [...statistics.values()]
          .map((values) => `,${Number.isNaN(values[index]) ? '' : values[index]}`)
          .join('')
      : '';
    lines.push(`${before}${dayText(from + index)},${price},${count}${more}\r\n`);
  }
  return lines.join('');
}
