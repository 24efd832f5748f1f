/** Where things lie in a chart: steps of axes, runs of days without a gap. Pure. */

/** @typedef {import('./service.js').Rate} Rate */

const millisecondsPerDay = 86_400_000;

/** @param {string} day YYYY-MM-DD */
export const dayNumber = (day) => Date.parse(`${day}T00:00:00Z`) / millisecondsPerDay;

/**
 * Round values from at or below `low` to at or above `high`, about `count` of them.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {number[]}
 */
export function valueTicks(low, high, count) {
  const span = high - low || Math.max(Math.abs(high) * 0.02, 1);
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  let first = Math.floor(low / step);
  let last = Math.ceil(high / step);
  if (first === last) {
    first -= 1;
    last += 1;
  }
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

const tickFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const shortFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 2, notation: 'compact' });

/**
 * Millions in short, so that the axis leaves room for the chart, unless that makes two of them look the same.
 *
 * @param {readonly number[]} ticks
 */
export function tickTexts(ticks) {
  const short = ticks.map((tick) => shortFormat.format(tick));
  const fits = (ticks.at(-1) ?? 0) >= 1_000_000 && new Set(short).size === ticks.length;
  return fits ? short : ticks.map((tick) => tickFormat.format(tick));
}

const dayMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const monthYear = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });

/**
 * Days to name below a chart, at most `count`: every so many days, firsts of months, or firsts of years.
 *
 * @param {string} first
 * @param {number} days
 * @param {number} count
 * @returns {{index: number, text: string}[]}
 */
export function dayTicks(first, days, count) {
  const start = dayNumber(first);
  /** @param {number} index */
  const dateOf = (index) => new Date((start + index) * millisecondsPerDay);
  const all = Array.from({ length: days }, (_, index) => index);
  const step = [1, 2, 3, 5, 7, 10, 14, 21, 30].find((length) => Math.ceil(days / length) <= count);
  if (step !== undefined && days <= 100) {
    return all
      .filter((index) => index % step === 0)
      .map((index) => ({ index, text: dayMonth.format(dateOf(index)) }));
  }
  const firsts = all.filter((index) => dateOf(index).getUTCDate() === 1);
  const months = [1, 2, 3, 6, 12, 24, 36, 60].find((length) => firsts.length / length <= count) ?? 120;
  return firsts
    .filter((index) => {
      const date = dateOf(index);
      return (date.getUTCFullYear() * 12 + date.getUTCMonth()) % months === 0;
    })
    .map((index) => {
      const date = dateOf(index);
      return { index, text: months >= 12 ? String(date.getUTCFullYear()) : monthYear.format(date) };
    });
}

/**
 * Runs of neighbouring days that have a price; a day without one is a gap.
 *
 * @param {readonly Rate[]} rates
 * @returns {{index: number, price: number}[][]}
 */
export function runsOf(rates) {
  /** @type {{index: number, price: number}[][]} */
  const runs = [];
  rates.forEach(({ price }, index) => {
    if (price === null) return;
    if (index > 0 && rates[index - 1]?.price !== null) runs.at(-1)?.push({ index, price });
    else runs.push([{ index, price }]);
  });
  return runs;
}
