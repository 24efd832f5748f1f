/**
 * Packing: in go items in any order, out come segments, each with the items of one lane sorted by day and price.
 * Works in typed arrays that are used again, so a part costs the same memory whatever it holds.
 */
import { monthOf } from '../days.js';
import { maximumPayloadBytes, offsetWidth, packItems, segmentBytes } from '../segment.js';

/** Items a part holds at the most: about 20 MB of arrays while it is packed. */
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
const blockItems = 1 << 16;

interface LaneSpace {
  days: Int32Array;
  prices: Int32Array;
  payload: Buffer;
}

interface Block {
  lanes: Int32Array;
  /** day * 2^31 + price: sorts by day, then price, and stays exact in a double. */
  keys: Float64Array;
}

/**
 * The arrays of all packers of a thread. They are kept, for making them anew for each part makes the process grow; a
 * small batch takes one block of them, a full part sixteen.
 */
export class PackingSpace {
  readonly #free: Block[] = [];
  #grouped = new Float64Array(blockItems);
  #days = new Int32Array(1 << 12);
  #prices = new Int32Array(1 << 12);
  /** One for all segments: made anew for each, they lie about by the ten megabytes until they are collected. */
  readonly #payload = Buffer.allocUnsafeSlow(segmentBytes);

  takeBlock(): Block {
    return this.#free.pop() ?? { lanes: new Int32Array(blockItems), keys: new Float64Array(blockItems) };
  }

  giveBack(blocks: Block[]): void {
    for (const block of blocks.splice(0)) this.#free.push(block);
  }

  /** For the keys of a part by lane, while it is drained: one part at a time. */
  grouped(length: number): Float64Array {
    if (this.#grouped.length < length) this.#grouped = new Float64Array(atLeast(length));
    return this.#grouped;
  }

  /** For the days and prices of a lane, while its segments are made, and for the payload of each. */
  ofLane(length: number): LaneSpace {
    if (this.#days.length < length) {
      this.#days = new Int32Array(atLeast(length));
      this.#prices = new Int32Array(atLeast(length));
    }
    return {
      days: this.#days.subarray(0, length),
      prices: this.#prices.subarray(0, length),
      payload: this.#payload,
    };
  }
}

/** With room to grow: the next part may be a little larger. */
const atLeast = (length: number): number => Math.ceil(length / blockItems) * blockItems;

export class PartPacker {
  readonly #space: PackingSpace;
  readonly #blocks: Block[] = [];
  #lanes: Int32Array = new Int32Array(0);
  #keys: Float64Array = new Float64Array(0);
  /** Where the next item goes in the last block. */
  #at = blockItems;

  constructor(space = new PackingSpace()) {
    this.#space = space;
  }

  get size(): number {
    return this.#blocks.length * blockItems - (blockItems - this.#at);
  }

  /** Forgets what was added. */
  clear(): void {
    this.#space.giveBack(this.#blocks);
    this.#at = blockItems;
  }

  /** Adds an item; `lane` counts from 0, `day` from 1970-01-01, `price` is 1 to 2^31-1. */
  add(lane: number, day: number, price: number): void {
    if (this.#at === blockItems) this.#begin();
    this.#lanes[this.#at] = lane;
    this.#keys[this.#at] = day * priceRange + price;
    this.#at++;
  }

  #begin(): void {
    const block = this.#space.takeBlock();
    this.#blocks.push(block);
    this.#lanes = block.lanes;
    this.#keys = block.keys;
    this.#at = 0;
  }

  /**
   * Yields the segments of what was added, lane by lane, and empties the packer. Each payload is valid until the next
   * segment. To be gone through before another packer of the same space is drained.
   */
  *drain(laneCount: number): Generator<Segment> {
    const { starts, keys } = this.#group(laneCount);
    this.clear();
    for (let lane = 0; lane < laneCount; lane++) {
      const ofLane = keys.subarray(starts[lane], starts[lane + 1]);
      if (ofLane.length > 0) yield* segmentsOf(lane, ofLane.sort(), this.#space.ofLane(ofLane.length));
    }
  }

  /** A counting sort by lane: one pass to count, one to place. */
  #group(laneCount: number): { starts: Int32Array; keys: Float64Array } {
    const starts = new Int32Array(laneCount + 1);
    this.#eachBlock(({ lanes }, size) => {
      for (let index = 0; index < size; index++) {
        const next = (lanes[index] ?? 0) + 1;
        starts[next] = (starts[next] ?? 0) + 1;
      }
    });
    for (let lane = 0; lane < laneCount; lane++)
      starts[lane + 1] = (starts[lane + 1] ?? 0) + (starts[lane] ?? 0);
    const cursors = starts.slice();
    const grouped = this.#space.grouped(this.size);
    this.#eachBlock(({ lanes, keys }, size) => {
      for (let index = 0; index < size; index++) {
        const lane = lanes[index] ?? 0;
        const place = cursors[lane] ?? 0;
        grouped[place] = keys[index] ?? 0;
        cursors[lane] = place + 1;
      }
    });
    return { starts, keys: grouped };
  }

  #eachBlock(visit: (block: Block, size: number) => void): void {
    this.#blocks.forEach((block, index) =>
      visit(block, index === this.#blocks.length - 1 ? this.#at : blockItems),
    );
  }
}

function* segmentsOf(
  lane: number,
  keys: Float64Array,
  { days, prices, payload }: LaneSpace,
): Generator<Segment> {
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
      payload: packItems(days, prices, from, to, payload),
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
