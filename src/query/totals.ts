/** Totals per day: in go rows of rollups and segments, out come counts and sums. Pure, but for turns it gives to others. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { firstItemDay, lastItemDay } from '../days.js';
import { addRollup, firstDayOf } from '../rollup.js';
import { unpackItems } from '../segment.js';
import type { SummedRow } from './sql.js';

/** What the items of each day add up to. */
export interface DayTotals {
  /** Day of index 0, since 1970-01-01. */
  from: number;
  counts: number[];
  sums: number[];
}

/** Rows, or bytes of segments, that are added up before other requests get their turn: about a millisecond's work. */
const rowsPerTurn = 1_000;
const bytesPerTurn = 1 << 18;

/** Before each of packed segments: its change, first day, format and length. */
const segmentHeadBytes = 8;

/** Copied from: a typed array lies outside of the heap, which costs a question of a month as much as adding it up. */
const noDays: readonly number[] = Array.from({ length: lastItemDay - firstItemDay + 1 }, () => 0);

/** Totals of the days from `from` to `to`; none where `from` is after `to`. */
export function addUp(
  rows: readonly SummedRow[],
  days: { from: number; to: number },
): DayTotals | Promise<DayTotals> {
  const many =
    rows.length > rowsPerTurn || rows.some(({ segments }) => segments && segments.length > bytesPerTurn);
  return many ? addUpInTurns(noTotals(days), rows) : addUpRows(rows, days);
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
    for (let at = 0; row.segments && at < row.segments.length; await nextTurn())
      at = addSegments(totals, row.segments, at, at + bytesPerTurn);
    if (!row.segments) addRow(totals, row);
    if (index % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
  }
  return totals;
}

function addRow(totals: DayTotals, row: SummedRow): void {
  const { payload, month, change, first_day, format, segments } = row;
  if (segments) addSegments(totals, segments);
  if (payload === null) return;
  if (month !== null) {
    addRollup(totals, firstDayOf(month) - totals.from, payload, 0, payload.length);
  } else if (change !== null && first_day !== null && format !== null) {
    const shift = first_day - totals.from;
    const visit = (offset: number, price: number): void =>
      add(totals, shift + offset, change, change * price);
    unpackItems(format, payload, visit, -shift, totals.counts.length - 1 - shift);
  }
}

/** Those that begin from `at` to before `until`. Returns where the next one begins. */
function addSegments(totals: DayTotals, segments: Buffer, at = 0, until = segments.length): number {
  let [change, shift] = [0, 0];
  const visit = (offset: number, price: number): void => add(totals, shift + offset, change, change * price);
  const stop = Math.min(until, segments.length);
  while (at < stop) {
    change = segments.readInt16BE(at);
    shift = segments.readUInt16BE(at + 2) - totals.from;
    const start = at + segmentHeadBytes;
    at = start + segments.readUInt16BE(at + 6);
    const format = segments.readInt16BE(start - 4);
    unpackItems(format, segments, visit, -shift, totals.counts.length - 1 - shift, start, at);
  }
  return at;
}

function add({ counts, sums }: DayTotals, index: number, count: number, sum: number): void {
  if (index < 0 || index >= counts.length) return;
  counts[index] = (counts[index] ?? 0) + count;
  sums[index] = (sums[index] ?? 0) + sum;
}
