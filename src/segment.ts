/**
 * The packed form of a lane's items (format 1), written by `ingest`, read by `query`, and by fairway.unpack in SQL.
 * Numbers are big-endian: byte 0 the width of a day offset (1 or 2), byte 1 the width of a price offset (1 to 4),
 * bytes 2-5 the smallest price; then each item as (day - first day, price - smallest price), by day and price.
 */
import { bigEndian } from './big-endian.js';

export const segmentFormat = 1;
const headerBytes = 6;

/** Payload that keeps a row below PostgreSQL's TOAST threshold of 2,032 bytes, so that reading it is one page. */
export const maximumPayloadBytes = 1_900;

export const offsetWidth = (largest: number): number =>
  largest < 0x100 ? 1 : largest < 0x1_0000 ? 2 : largest < 0x100_0000 ? 3 : 4;

/** Room for any segment that is cut at `maximumPayloadBytes`. */
export const segmentBytes = headerBytes + maximumPayloadBytes;

/** Packs items sorted by day and price. `days` and `prices` are parallel; at least one item. Into a buffer of its own, or the start of one that is given. */
export function packItems(
  days: ArrayLike<number>,
  prices: ArrayLike<number>,
  from: number,
  to: number,
  into?: Buffer,
): Buffer {
  const firstDay = days[from] ?? 0;
  let lowest = prices[from] ?? 0;
  let highest = lowest;
  for (let index = from; index < to; index++) {
    const price = prices[index] ?? 0;
    if (price < lowest) lowest = price;
    if (price > highest) highest = price;
  }
  const dayWidth = offsetWidth((days[to - 1] ?? 0) - firstDay);
  const priceWidth = offsetWidth(highest - lowest);
  const bytes = headerBytes + (to - from) * (dayWidth + priceWidth);
  const payload = into ? into.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
  payload[0] = dayWidth;
  payload[1] = priceWidth;
  payload.writeUInt32BE(lowest, 2);
  let at = headerBytes;
  for (let index = from; index < to; index++) {
    at = write(payload, at, (days[index] ?? 0) - firstDay, dayWidth);
    at = write(payload, at, (prices[index] ?? 0) - lowest, priceWidth);
  }
  return payload;
}

/** As writeUIntBE does, at a third of the time: there are two for each item. */
function write(payload: Buffer, at: number, value: number, width: number): number {
  let rest = value;
  for (let byte = at + width - 1; byte >= at; byte--) {
    payload[byte] = rest;
    rest >>>= 8;
  }
  return at + width;
}

/**
 * Calls `visit(day offset from the segment's first day, price)` for each item; only for those of the offsets `from` to
 * `to` where they are given. The payload is all of the bytes, or those from `start` to before `end`. Throws on an unknown
 * format.
 */
export function unpackItems(
  format: number,
  bytes: Buffer,
  visit: (dayOffset: number, price: number) => void,
  from = 0,
  to = Infinity,
  start = 0,
  end = bytes.length,
): void {
  if (format !== segmentFormat) throw new Error(`segment format ${format} is not known to this version`);
  const dayWidth = bytes[start] ?? 0;
  const priceWidth = bytes[start + 1] ?? 0;
  const lowest = bytes.readUInt32BE(start + 2);
  const width = dayWidth + priceWidth;
  const first = start + headerBytes;
  const items = Math.floor((end - first) / width);
  let at = first + (from > 0 ? firstItem(bytes, first, items, dayWidth, width, from) : 0) * width;
  for (const last = first + items * width; at < last; at += width) {
    const day = bigEndian(bytes, at, dayWidth);
    if (day > to) break;
    visit(day, lowest + bigEndian(bytes, at + dayWidth, priceWidth));
  }
}

/** The first of so many items from `first` on, sorted by day, whose day is not before `from`. */
function firstItem(
  bytes: Buffer,
  first: number,
  items: number,
  dayWidth: number,
  width: number,
  from: number,
): number {
  let [low, high] = [0, items];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bigEndian(bytes, first + middle * width, dayWidth) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
