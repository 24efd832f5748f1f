/** Totals per day: in go rows of rollups and segments, out come counts and sums. Pure, but for turns it gives to others. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstItemDay, lastItemDay } from '../days.js';
import { firstDayOf, unpackRollup } from '../rollup.js';
import { unpackItems } from '../segment.js';
import type { SummedRow } from './sql.js';

/** What the items of each day add up to. */
export interface DayTotals {
  /** Day of index 0, since 1970-01-01. */
  from: number;
  counts: number[];
  sums: number[];
}

/** Rows that are added up before other requests get their turn: about a millisecond's work. */
const rowsPerTurn = 1_000;

/** Copied from: a typed array lies outside of the heap, which costs a question of a month as much as adding it up. */
const noDays: readonly number[] = Array.from({ length: lastItemDay - firstItemDay + 1 }, () => 0);

/** Totals of the days from `from` to `to`; none where `from` is after `to`. */
export function addUp(
  rows: readonly SummedRow[],
  days: { from: number; to: number },
): DayTotals | Promise<DayTotals> {
  return rows.length > rowsPerTurn ? addUpInTurns(noTotals(days), rows) : addUpRows(rows, days);
}

/** The same at once, for few rows. */
export function addUpRows(rows: readonly SummedRow[], days: { from: number; to: number }): DayTotals {
  const totals = noTotals(days);
  for (const row of rows) addRow(totals, row);
  return totals;
}

function noTotals({ from, to }: { from: number; to: number }): DayTotals {
  const length = Math.max(0, to - from + 1);
  return { from, counts: noDays.slice(0, length), sums: noDays.slice(0, length) };
}

async function addUpInTurns(totals: DayTotals, rows: readonly SummedRow[]): Promise<DayTotals> {
  for (const [index, row] of rows.entries()) {
    addRow(totals, row);
    if (index % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
  }
  return totals;
}

function addRow(
  { from, counts, sums }: DayTotals,
  { payload, month, change, first_day, format }: SummedRow,
): void {
  if (payload === null) return;
  const add = (index: number, count: number, sum: number): void => {
    if (index < 0 || index >= counts.length) return;
    counts[index] = (counts[index] ?? 0) + count;
    sums[index] = (sums[index] ?? 0) + sum;
  };
  if (month !== null) {
    const shift = firstDayOf(month) - from;
    unpackRollup(payload, (day, count, sum) => add(shift + day, count, sum));
  } else if (change !== null && first_day !== null && format !== null) {
    const shift = first_day - from;
    const visit = (offset: number, price: number): void => add(shift + offset, change, change * price);
    unpackItems(format, payload, visit, -shift, counts.length - 1 - shift);
  }
}
