/**
 * The packed form of a rollup: what the items of a lane add up to, per day of one month. Byte 0 the width of a count
 * (1 to 4), byte 1 the width of a sum (1 to 7), then each day that has items as (day of the month from 0, count, sum),
 * by day, numbers big-endian. Written and read by `query`.
 */
import { bigEndian } from './big-endian.js';
import { dayOf, monthOf } from './days.js';

const headerBytes = 2;
const firstMonth = 1970 * 12;

/** Months since 1970-01, of a day since 1970-01-01. */
export const rollupMonth = (day: number): number => monthOf(day) - firstMonth;

/** First day of a month, both since 1970-01. */
export const firstDayOf = (month: number): number =>
  dayOf(1970 + Math.floor(month / 12), (month % 12) + 1, 1) ?? 0;

/** Days a month can have. */
export const daysOfMonth = 31;

/** Packs counts and sums per day of the month; undefined where there is no item. Sums are below 2^53. */
export function packRollup(counts: ArrayLike<number>, sums: ArrayLike<number>): Buffer | undefined {
  let days = 0;
  let largestCount = 0;
  let largestSum = 0;
  for (let day = 0; day < daysOfMonth; day++) {
    const count = counts[day] ?? 0;
    if (count === 0) continue;
    days++;
    largestCount = Math.max(largestCount, count);
    largestSum = Math.max(largestSum, sums[day] ?? 0);
  }
  if (days === 0) return undefined;
  const countWidth = bytesFor(largestCount);
  const sumWidth = bytesFor(largestSum);
  const payload = Buffer.allocUnsafe(headerBytes + days * (1 + countWidth + sumWidth));
  payload[0] = countWidth;
  payload[1] = sumWidth;
  let at = headerBytes;
  for (let day = 0; day < daysOfMonth; day++) {
    const count = counts[day] ?? 0;
    if (count === 0) continue;
    payload[at++] = day;
    at = payload.writeUIntBE(count, at, countWidth);
    at = payload.writeUIntBE(sums[day] ?? 0, at, sumWidth);
  }
  return payload;
}

/** Calls `visit(day of the month from 0, count, sum)` for each day that has items. */
export function unpackRollup(
  payload: Buffer,
  visit: (day: number, count: number, sum: number) => void,
): void {
  const countWidth = payload[0] ?? 0;
  const sumWidth = payload[1] ?? 0;
  const width = 1 + countWidth + sumWidth;
  for (let at = headerBytes; at + width <= payload.length; at += width) {
    visit(
      payload[at] ?? 0,
      bigEndian(payload, at + 1, countWidth),
      bigEndian(payload, at + 1 + countWidth, sumWidth),
    );
  }
}

/** Adds the days of a rollup among others' bytes to totals, of which the rollup's first day is the one at `shift`. */
export function addRollup(
  { counts, sums }: { counts: number[]; sums: number[] },
  shift: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const countWidth = bytes[start] ?? 0;
  const sumWidth = bytes[start + 1] ?? 0;
  const width = 1 + countWidth + sumWidth;
  for (let at = start + headerBytes; at + width <= end; at += width) {
    const index = shift + (bytes[at] ?? 0);
    if (index < 0 || index >= counts.length) continue;
    counts[index] = (counts[index] ?? 0) + bigEndian(bytes, at + 1, countWidth);
    sums[index] = (sums[index] ?? 0) + bigEndian(bytes, at + 1 + countWidth, sumWidth);
  }
}

const bytesFor = (largest: number): number => {
  let bytes = 1;
  for (let limit = 256; largest >= limit; limit *= 256) bytes++;
  return bytes;
};
