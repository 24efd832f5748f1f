/** Rates in words: in go the rates of a lane, oldest first, out come the figures a reader wants first. Pure. */

/** @typedef {import('./service.js').Rate} Rate */

const priceFormat = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dayFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const countFormat = new Intl.NumberFormat('en');

/** @param {number} price */
export const formatPrice = (price) => priceFormat.format(price);

/** 31 Jan 2021, kept on one line. @param {string} day */
export const formatDay = (day) => dayFormat.format(new Date(`${day}T00:00:00Z`)).replaceAll(' ', '\u00a0');

/** @param {number} count @param {string} noun */
export const plural = (count, noun) => `${countFormat.format(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Days with one or two prices: their average is not given away. @param {Rate} rate */
export const isWithheld = (rate) => rate.price === null && rate.count !== null;

/**
 * @param {readonly Rate[]} rates
 * @returns {{known: Rate[], withheld: number, empty: number, lowest?: Rate, highest?: Rate, mean?: number}}
 */
export function figuresOf(rates) {
  const known = rates.filter((rate) => rate.price !== null);
  const withheld = rates.filter(isWithheld).length;
  const counts = { known, withheld, empty: rates.length - known.length - withheld };
  const [first] = known;
  if (first === undefined) return counts;
  let lowest = first;
  let highest = first;
  let sum = 0;
  for (const rate of known) {
    const price = rate.price ?? 0;
    if (price < (lowest.price ?? 0)) lowest = rate;
    if (price > (highest.price ?? 0)) highest = rate;
    sum += price;
  }
  return { ...counts, lowest, highest, mean: sum / known.length };
}

/** @param {readonly Rate[]} rates */
export function summarize(rates) {
  if (rates.length === 0) return 'There are no days in this range: the first day lies after the last.';
  const { known, withheld, empty, lowest, highest, mean } = figuresOf(rates);
  const sentences = [];
  if (lowest && highest && mean !== undefined) {
    sentences.push(
      `${countFormat.format(known.length)} of ${plural(rates.length, 'day')} ${known.length === 1 ? 'has' : 'have'} a rate.`,
    );
    if (lowest.price === highest.price)
      sentences.push(`It is ${known.length === 1 ? '' : 'always '}${formatPrice(mean)}.`);
    else
      sentences.push(
        `Lowest ${formatPrice(lowest.price ?? 0)} on ${formatDay(lowest.day)}, highest ${formatPrice(highest.price ?? 0)} on ${formatDay(highest.day)}, mean ${formatPrice(mean)}.`,
      );
  } else sentences.push(`None of ${plural(rates.length, 'day')} has a rate.`);
  if (withheld > 0)
    sentences.push(
      `On ${plural(withheld, 'day')} the rate is withheld: an average is given from three prices on.`,
    );
  if (empty > 0 && known.length + withheld > 0) sentences.push(`${plural(empty, 'day')} without any price.`);
  if (empty === rates.length) sentences.push('No supplier has given a price for this lane in these days.');
  return sentences.join(' ');
}
