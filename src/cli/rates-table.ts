/** The table of `fairway rates`: in go rates and the width of the terminal, out comes text. Pure. */
import type { RateLine } from './rates.js';

const dim = '\x1b[2m';
const blue = '\x1b[34m';
const plain = '\x1b[0m';
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const narrowest = 8;

/** A line per day, oldest first; bars are as long as the price is above zero, the highest price as wide as there is room. */
export function ratesTable(rates: readonly RateLine[], columns: number, colour: boolean): string {
  if (rates.length === 0) return 'no days: --from lies after --to\n';
  const days = rates.toReversed();
  const prices = days.map((rate) => (rate.price === null ? '–' : rate.price.toFixed(2)));
  const counts = days.map((rate) => String(rate.count ?? 0));
  const priceWidth = Math.max('price'.length, ...prices.map((text) => text.length));
  const countWidth = Math.max('items'.length, ...counts.map((text) => text.length));
  const room = columns - (10 + 2 + priceWidth + 2 + countWidth + 2) - 1;
  const highest = Math.max(...days.map((rate) => rate.price ?? 0));
  const paint = (code: string, text: string): string =>
    colour && text !== '' ? `${code}${text}${plain}` : text;
  const lines = days.map((rate, index) => {
    const cells = `${rate.day}  ${(prices[index] ?? '').padStart(priceWidth)}  ${(counts[index] ?? '').padStart(countWidth)}`;
    if (rate.price === null) return paint(dim, cells);
    return room < narrowest ? cells : `${cells}  ${paint(blue, bar((rate.price / highest) * room))}`;
  });
  const note = days.some((rate) => rate.price === null && rate.count !== null)
    ? [paint(dim, '– fewer than 3 items: the price is withheld')]
    : [];
  return [
    `${'day'.padEnd(10)}  ${'price'.padStart(priceWidth)}  ${'items'.padStart(countWidth)}`,
    ...lines,
    ...note,
    '',
  ].join('\n');
}

const bar = (length: number): string =>
  '█'.repeat(Math.floor(length)) + (eighths[Math.floor((length % 1) * 8)] ?? '');
