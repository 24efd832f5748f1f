/**
 * Statistics per day, exact, from the stored prices: in go lanes, days and what the items of each day add up to at a
 * revision, out come numbers. How much there is to read is known from the counts before it is read.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from '../../database/database.js';
import { FairwayError } from '../../errors.js';
import { unpackItems } from '../../segment.js';
import { checkKept, checkReached } from '../at-revision.js';
import { chargePrices, type AskOptions } from '../cost.js';
import { fewestItems } from '../fewest-items.js';
import type { DayTotals } from '../totals.js';
import { valueOf, type Statistic } from './definitions.js';
import { pricesBetween, type PricesOf, type PricesRow } from './sql.js';

/** Prices behind one question at the most: about half a second's work. */
export const mostPrices = 5_000_000;
/** Segments that are unpacked, and prices that are sorted, before other requests get their turn. */
const segmentsPerTurn = 200;
const pricesPerTurn = 100_000;

/** For each statistic a value per day, in the order of the totals; NaN where there are too few items. */
export type DayStatistics = ReadonlyMap<Statistic, Float64Array>;

/** How many prices there are to be sorted for a question. Throws `too_costly`. */
export function pricesBehind({ counts }: DayTotals): number {
  const items = counts.reduce((sum, count) => sum + count, 0);
  if (items > mostPrices) throw tooMany(items);
  return items;
}

/** Throws `too_costly`, `revision_gone`, and `NotReached` where the node that is read has not got to the revision. */
export async function readStatistics(
  database: Database,
  statistics: readonly Statistic[],
  lanes: Omit<PricesOf, 'from' | 'to'>,
  totals: DayTotals,
  options: AskOptions,
): Promise<DayStatistics> {
  const items = pricesBehind(totals);
  chargePrices(items, options);
  const days = { from: totals.from, to: totals.from + totals.counts.length - 1 };
  const rows =
    items === 0 ? [] : await database.read<PricesRow>(pricesBetween({ ...lanes, ...days }), options);
  const told = rows.find(({ newest }) => newest !== null);
  if (told) checkRevision(told, lanes.revision);
  const perDay = await gather(rows, totals, items);
  const values = new Map(statistics.map((name) => [name, new Float64Array(totals.counts.length).fill(NaN)]));
  let sorted = 0;
  for (const [index, prices] of perDay.entries()) {
    if (prices.length < fewestItems) continue;
    prices.sort();
    for (const [name, column] of values) column[index] = valueOf(name, prices, totals.sums[index] ?? 0);
    sorted += prices.length;
    if (sorted >= pricesPerTurn) {
      sorted = 0;
      await nextTurn();
      options.signal?.throwIfAborted();
    }
  }
  return values;
}

/** Behind one address there may be several nodes, and what was counted may be purged by now. */
function checkRevision({ newest, oldest_revision }: PricesRow, revision: number): void {
  checkReached(Number(newest), { as_of: revision });
  checkKept(revision, Number(oldest_revision), Number(newest));
}

/** Views of one array, a day each. */
async function gather(
  rows: readonly PricesRow[],
  { from, counts }: DayTotals,
  items: number,
): Promise<Int32Array[]> {
  const prices = new Int32Array(items);
  const next = new Int32Array(counts.length);
  const days: Int32Array[] = [];
  let start = 0;
  for (const [index, count] of counts.entries()) {
    next[index] = start;
    days.push(prices.subarray(start, (start += count)));
  }
  let found = 0;
  for (const [index, { first_day, format, payload }] of rows.entries()) {
    if (payload === null) continue;
    const shift = first_day - from;
    unpackItems(format, payload, (offset, price) => {
      const day = shift + offset;
      const at = next[day];
      if (at === undefined) return;
      prices[at] = price;
      next[day] = at + 1;
      found++;
    });
    if (index % segmentsPerTurn === segmentsPerTurn - 1) await nextTurn();
  }
  // Both were read at the same revision; a difference would be a mistake of ours, and a statistic of it a lie.
  if (found !== items) throw new Error(`${found} prices are stored where rollups count ${items}`);
  return days;
}

const tooMany = (items: number): FairwayError =>
  new FairwayError(
    'too_costly',
    `stats: there are ${items} prices behind this question, and ${mostPrices} are the most that are sorted for one; ask for fewer days or a smaller region`,
  );
