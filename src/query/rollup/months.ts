/** Counts and sums per lane and month, gathered in memory: in go segments, out come months of lanes. Pure. */
import { firstDayOf, rollupMonth } from '../../rollup.js';
import { unpackItems } from '../../segment.js';
import { DaysPool, type Days } from './days.js';

export interface Month {
  lane: number;
  /** Since 1970-01. */
  month: number;
  days: Days;
}

export interface LaneSegment {
  lane: number;
  /** Since 1970-01-01. */
  first_day: number;
  format: number;
  payload: Buffer;
}

const keyOf = (lane: number, month: number): number => lane * 4_096 + month;

export class Months {
  readonly #pool = new DaysPool();
  readonly #months = new Map<number, Month>();

  get size(): number {
    return this.#months.size;
  }

  /** In the order in which they came. */
  all(): Month[] {
    return [...this.#months.values()];
  }

  find(lane: number, month: number): Month | undefined {
    return this.#months.get(keyOf(lane, month));
  }

  /** What was read of it is no longer valid then. */
  forget(month: Month): void {
    this.#months.delete(keyOf(month.lane, month.month));
    this.#pool.giveBack(month.days);
  }

  clear(): void {
    for (const { days } of this.#months.values()) this.#pool.giveBack(days);
    this.#months.clear();
  }

  /** Adds a segment's items, or takes them away where `change` is -1. Returns how many there are. */
  add({ lane, first_day, format, payload }: LaneSegment, change: number): number {
    let items = 0;
    let current: Days | undefined;
    let start = 0;
    let end = 0;
    unpackItems(format, payload, (offset, price) => {
      const day = first_day + offset;
      if (current === undefined || day >= end) {
        const month = rollupMonth(day);
        start = firstDayOf(month);
        end = firstDayOf(month + 1);
        current = this.#daysOf(lane, month);
      }
      const index = day - start;
      current.counts[index] = (current.counts[index] ?? 0) + change;
      current.sums[index] = (current.sums[index] ?? 0) + change * price;
      items++;
    });
    return items;
  }

  #daysOf(lane: number, month: number): Days {
    const key = keyOf(lane, month);
    let found = this.#months.get(key);
    if (!found) {
      found = { lane, month, days: this.#pool.take() };
      this.#months.set(key, found);
    }
    return found.days;
  }
}
