/** The values of an item read from bytes: in go ranges, out come numbers, or -1 where the plain form is not there. */
import { dayOf, firstItemDay, formatDay, lastItemDay } from '../../days.js';

export const fieldNames = ['orig_code', 'dest_code', 'day', 'price'] as const;
export type FieldName = (typeof fieldNames)[number];

export const originField = 0;
export const destinationField = 1;
export const dayField = 2;
export const priceField = 3;

export const highestPrice = 2 ** 31 - 1;

const firstYear = Number(formatDay(firstItemDay).slice(0, 4));
const lastYear = Number(formatDay(lastItemDay).slice(0, 4));

/** Number of the first day of each month of the window, and of the month after it. */
const monthStarts = Int32Array.from(
  { length: (lastYear - firstYear + 1) * 12 + 1 },
  (_, month) => dayOf(firstYear + Math.floor(month / 12), (month % 12) + 1, 1) ?? 0,
);

/** The day that the ten bytes YYYY-MM-DD name, or -1 where it is no date of the window. */
export function dayAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== 45 || bytes[at + 7] !== 45) return -1;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const dayOfMonth = twoDigits(bytes, at + 8);
  if (!(year >= firstYear && year <= lastYear && month >= 1 && month <= 12 && dayOfMonth >= 1)) return -1;
  const index = (year - firstYear) * 12 + month - 1;
  const start = monthStarts[index] ?? 0;
  return start + dayOfMonth <= (monthStarts[index + 1] ?? 0) ? start + dayOfMonth - 1 : -1;
}

/** Two digits as a number, or one far below zero where they are none. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 48;
  const ones = (bytes[at + 1] ?? 0) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000;
}

/** Where the digits that begin at `at` end. */
export function digitsEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let digit = bytes[end] ?? 0; digit >= 48 && digit <= 57; digit = bytes[end] ?? 0) end++;
  return end;
}

/** The price that the digits from `start` to `end` write, or -1 where they are none in range. No leading zero. */
export function priceOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || length > 10 || bytes[start] === 48) return -1;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] ?? 0) - 48;
  return value <= highestPrice ? value : -1;
}
