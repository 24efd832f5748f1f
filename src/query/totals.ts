/** Totals per day: in go rows of rollups and segments, out come counts and sums. Pure, but for turns it gives to others. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstDayOf, unpackRollup } from '../rollup.js';
import { unpackItems } from '../segment.js';
import type { TotalsRow } from './sql.js';

/** What the items of each day add up to. */
export interface DayTotals {
  /** Day of index 0, since 1970-01-01. */
  from: number;
  counts: Float64Array;
  sums: Float64Array;
}

/** Rows that are added up before other requests get their turn: about a millisecond's work. */
const rowsPerTurn = 1_000;

/** Totals of the days from `from` to `to`; none where `from` is after `to`. */
export function addUp(
  rows: readonly TotalsRow[],
  { from, to }: { from: number; to: number },
): DayTotals | Promise<DayTotals> {
  const length = Math.max(0, to - from + 1);
  const totals = { from, counts: new Float64Array(length), sums: new Float64Array(length) };
  if (rows.length > rowsPerTurn) return addUpInTurns(totals, rows);
  for (const row of rows) addRow(totals, row);
  return totals;
}

async function addUpInTurns(totals: DayTotals, rows: readonly TotalsRow[]): Promise<DayTotals> {
  for (const [index, row] of rows.entries()) {
    addRow(totals, row);
    if (index % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
  }
  return totals;
}

function addRow(
  { from, counts, sums }: DayTotals,
  { payload, month, change, first_day, format }: TotalsRow,
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
    unpackItems(format, payload, (offset, price) => add(shift + offset, change, change * price));
  }
}
