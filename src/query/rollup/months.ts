/** Counts and sums per lane and month, gathered in memory: in go segments, out come packed rollups. Pure. */
import { daysOfMonth, firstDayOf, packRollup, rollupMonth } from '../../rollup.js';
import { unpackItems } from '../../segment.js';

/** Counts and sums of one lane and month, by day. Arrays of numbers: a typed array of this length lies outside of the heap, and costs a call each to make and to free. */
export interface Month {
  lane: number;
  /** Since 1970-01. */
  month: number;
  counts: number[];
  sums: number[];
}

export interface LaneSegment {
  lane: number;
  /** Since 1970-01-01. */
  first_day: number;
  format: number;
  payload: Buffer;
}

/** By `monthKey`. */
export type Months = Map<number, Month>;

export const monthKey = (lane: number, month: number): number => lane * 4_096 + month;

/** Adds a segment's items, or takes them away where `change` is -1. Returns how many there are. */
export function addSegment(
  months: Months,
  { lane, first_day, format, payload }: LaneSegment,
  change: number,
): number {
  let items = 0;
  let current: Month | undefined;
  let start = 0;
  let end = 0;
  unpackItems(format, payload, (offset, price) => {
    const day = first_day + offset;
    if (current === undefined || day >= end) {
      const month = rollupMonth(day);
      start = firstDayOf(month);
      end = firstDayOf(month + 1);
      current = monthIn(months, lane, month);
    }
    const index = day - start;
    current.counts[index] = (current.counts[index] ?? 0) + change;
    current.sums[index] = (current.sums[index] ?? 0) + change * price;
    items++;
  });
  return items;
}

function monthIn(months: Months, lane: number, month: number): Month {
  const key = monthKey(lane, month);
  let found = months.get(key);
  if (!found) {
    found = { lane, month, counts: emptyDays(), sums: emptyDays() };
    months.set(key, found);
  }
  return found;
}

const noDays: readonly number[] = Array.from({ length: daysOfMonth }, () => 0);

export const emptyDays = (): number[] => noDays.slice();

/** Null where nothing is left. */
export const packMonth = ({ counts, sums }: Month): Buffer | null => packRollup(counts, sums) ?? null;
