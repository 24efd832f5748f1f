/**
 * Packing: in go items in any order, out come segments, each with the items of one lane sorted by day and price.
 * Works in typed arrays of a fixed capacity, so a part costs the same memory whatever it holds.
 */
import { monthOf } from '../days.js';
import { maximumPayloadBytes, offsetWidth, packItems } from '../segment.js';

/** Items a part holds at the most: about 25 MB of arrays while it is packed. */
export const partCapacity = 1_000_000;

export interface Segment {
  /** Number of the lane as given to `add`. */
  lane: number;
  firstDay: number;
  lastDay: number;
  items: number;
  payload: Buffer;
}

const priceRange = 2 ** 31;

export class PartPacker {
  readonly #lanes: Int32Array;
  /** day * 2^31 + price: sorts by day, then price, and stays exact in a double. */
  readonly #keys: Float64Array;
  /** The keys by lane while they are drained: kept, for making it anew for each part makes the process grow. */
  readonly #grouped: Float64Array;
  #size = 0;

  constructor(capacity: number = partCapacity) {
    this.#lanes = new Int32Array(capacity);
    this.#keys = new Float64Array(capacity);
    this.#grouped = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Forgets what was added. */
  clear(): void {
    this.#size = 0;
  }

  /** Adds an item; `lane` counts from 0, `day` from 1970-01-01, `price` is 1 to 2^31-1. No more than the capacity. */
  add(lane: number, day: number, price: number): void {
    this.#lanes[this.#size] = lane;
    this.#keys[this.#size] = day * priceRange + price;
    this.#size++;
  }

  /** Yields the segments of what was added, lane by lane, and empties the packer. */
  *drain(laneCount: number): Generator<Segment> {
    const { starts, keys } = this.#group(laneCount);
    this.#size = 0;
    for (let lane = 0; lane < laneCount; lane++) {
      const ofLane = keys.subarray(starts[lane], starts[lane + 1]);
      if (ofLane.length > 0) yield* segmentsOf(lane, ofLane.sort());
    }
  }

  /** A counting sort by lane: one pass to count, one to place. */
  #group(laneCount: number): { starts: Int32Array; keys: Float64Array } {
    const starts = new Int32Array(laneCount + 1);
    for (let index = 0; index < this.#size; index++) {
      const next = (this.#lanes[index] ?? 0) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let lane = 0; lane < laneCount; lane++)
      starts[lane + 1] = (starts[lane + 1] ?? 0) + (starts[lane] ?? 0);
    const cursors = starts.slice();
    const keys = this.#grouped;
    for (let index = 0; index < this.#size; index++) {
      const lane = this.#lanes[index] ?? 0;
      const place = cursors[lane] ?? 0;
      keys[place] = this.#keys[index] ?? 0;
      cursors[lane] = place + 1;
    }
    return { starts, keys };
  }
}

function* segmentsOf(lane: number, keys: Float64Array): Generator<Segment> {
  const days = new Int32Array(keys.length);
  const prices = new Int32Array(keys.length);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] ?? 0;
    const day = Math.floor(key / priceRange);
    days[index] = day;
    prices[index] = key - day * priceRange;
  }
  for (let from = 0; from < keys.length;) {
    const to = cut(days, prices, from);
    yield {
      lane,
      firstDay: days[from] ?? 0,
      lastDay: days[to - 1] ?? 0,
      items: to - from,
      payload: packItems(days, prices, from, to),
    };
    from = to;
  }
}

/**
 * Where the segment that starts at `from` ends. A busy lane is cut at the ends of months, so that a month's question
 * reads little else; a quiet lane stays one row for years, so that rows stay few.
 */
function cut(days: Int32Array, prices: Int32Array, from: number): number {
  let lowest = Infinity;
  let highest = 0;
  for (let index = from; index < days.length; index++) {
    const price = prices[index] ?? 0;
    lowest = Math.min(lowest, price);
    highest = Math.max(highest, price);
    const width = offsetWidth((days[index] ?? 0) - (days[from] ?? 0)) + offsetWidth(highest - lowest);
    const bytes = (index + 1 - from) * width;
    if (bytes > maximumPayloadBytes) return index;
    // Asked in this order, for the month is what costs.
    const cutsWell =
      bytes > maximumPayloadBytes / 2 &&
      index > from &&
      days[index] !== days[index - 1] &&
      monthOf(days[index] ?? 0) !== monthOf(days[index - 1] ?? 0);
    if (cutsWell) return index;
  }
  return days.length;
}
