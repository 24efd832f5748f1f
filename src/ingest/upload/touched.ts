/** What a batch touches, gathered from its packed parts in bounded memory. In go parts, out come lanes and days. */
import { segmentFormat, unpackItems } from '../../segment.js';
import type { UploadPart } from '../parse/upload.js';

/** Days of lanes whose sums are kept: about 50 MB at the most. */
const mostCells = 500_000;

export interface TouchedLane {
  origin: string;
  destination: string;
  items: number;
  days: Map<number, { count: number; sum: number }>;
}

export class Touched {
  readonly #lanes: TouchedLane[] = [];
  readonly #days = new Set<number>();
  #cells = 0;
  /** Whether every day of every lane was kept. */
  complete = true;

  get days(): number {
    return this.#days.size;
  }

  /** Days of lanes; undefined where there are too many to know. */
  get laneDays(): number | undefined {
    return this.complete ? this.#cells : undefined;
  }

  add({ lanes, segments }: UploadPart): void {
    for (const lane of lanes) this.#lanes.push({ ...lane, items: 0, days: new Map() });
    for (const { lane, firstDay, items, payload } of segments) {
      const touched = this.#lanes[lane];
      if (!touched) continue;
      touched.items += items;
      unpackItems(segmentFormat, payload, (offset, price) => this.#item(touched, firstDay + offset, price));
    }
  }

  #item({ days }: TouchedLane, day: number, price: number): void {
    const cell = days.get(day);
    if (cell) {
      cell.count++;
      cell.sum += price;
      return;
    }
    this.#days.add(day);
    if (this.#cells === mostCells) {
      this.complete = false;
      return;
    }
    this.#cells++;
    days.set(day, { count: 1, sum: price });
  }

  /** Lanes with the most items, of those whose days are all known. */
  busiest(count: number): TouchedLane[] {
    return this.#lanes
      .filter((lane) => lane.days.size > 0 && sumOfCounts(lane) === lane.items)
      .sort((a, b) => b.items - a.items)
      .slice(0, count);
  }
}

const sumOfCounts = ({ days }: TouchedLane): number => {
  let sum = 0;
  for (const { count } of days.values()) sum += count;
  return sum;
};
