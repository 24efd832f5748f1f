/** A part's segments as two buffers, which cross between threads without a copy: in go segments, out come segments. */
import type { Segment } from '../pack.js';

export interface PartBuffers {
  /** For each segment: lane, first day, last day, items, end of its payload. */
  index: Int32Array<ArrayBuffer>;
  segments: number;
  /** Since 1970-01-01. */
  firstDay: number;
  lastDay: number;
  payload: ArrayBuffer;
}

const columns = 5;

/** What an item takes at the most, as a rule: three bytes of day and price, and its share of the header. */
const usualBytes = 4;

/** `items`: how many there are in all, so that the buffers need not grow. */
export function gatherSegments(segments: Iterable<Segment>, items = 0): PartBuffers {
  let index = new Int32Array(columns * 4_096);
  let payload = new Uint8Array(Math.max(1 << 16, items * usualBytes));
  let count = 0;
  let end = 0;
  let firstDay = Infinity;
  let lastDay = -Infinity;
  for (const segment of segments) {
    firstDay = Math.min(firstDay, segment.firstDay);
    lastDay = Math.max(lastDay, segment.lastDay);
    const at = count++ * columns;
    if (at === index.length) {
      const larger = new Int32Array(index.length * 2);
      larger.set(index);
      index = larger;
    }
    if (end + segment.payload.length > payload.length) {
      const larger = new Uint8Array(payload.length * 2);
      larger.set(payload);
      payload = larger;
    }
    payload.set(segment.payload, end);
    end += segment.payload.length;
    index[at] = segment.lane;
    index[at + 1] = segment.firstDay;
    index[at + 2] = segment.lastDay;
    index[at + 3] = segment.items;
    index[at + 4] = end;
  }
  return { index, segments: count, firstDay, lastDay, payload: payload.buffer };
}

/** The segments again, and the days they hold. */
export const partOf = (buffers: PartBuffers) => ({
  firstDay: buffers.firstDay,
  lastDay: buffers.lastDay,
  segments: segmentsOf(buffers),
});

/** As often as asked; payloads are views, not copies. */
const segmentsOf = ({ index, segments, payload }: PartBuffers): Iterable<Segment> => ({
  *[Symbol.iterator]() {
    let start = 0;
    for (let at = 0; at < segments * columns; at += columns) {
      const end = index[at + 4] ?? 0;
      yield {
        lane: index[at] ?? 0,
        firstDay: index[at + 1] ?? 0,
        lastDay: index[at + 2] ?? 0,
        items: index[at + 3] ?? 0,
        payload: Buffer.from(payload, start, end - start),
      };
      start = end;
    }
  },
});
