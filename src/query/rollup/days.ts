/** Counts and sums per day of a month, while they are added up: in typed arrays that are used again, for made anew each time they would be most of what rolling up takes of memory. Pure. */
import { daysOfMonth, packRollup, unpackRollup } from '../../rollup.js';

export interface Days {
  counts: Float64Array;
  sums: Float64Array;
}

/** Months whose numbers lie in one piece of memory: of 127 kB, so that it goes back to the system when it is let go. */
const monthsOfPiece = 256;

export class DaysPool {
  readonly #free: Days[] = [];

  /** All zero. */
  take(): Days {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop() ?? daysIn(new Float64Array(2 * daysOfMonth), 0);
  }

  giveBack(days: Days): void {
    days.counts.fill(0);
    days.sums.fill(0);
    this.#free.push(days);
  }

  #grow(): void {
    const piece = new Float64Array(monthsOfPiece * 2 * daysOfMonth);
    for (let at = 0; at < piece.length; at += 2 * daysOfMonth) this.#free.push(daysIn(piece, at));
  }
}

const daysIn = (piece: Float64Array, at: number): Days => ({
  counts: piece.subarray(at, at + daysOfMonth),
  sums: piece.subarray(at + daysOfMonth, at + 2 * daysOfMonth),
});

/** Days without items are left alone: most are, and reading what is added up there costs more than asking. */
export function addDays(into: Days, from: Days): void {
  const { counts, sums } = into;
  for (let day = 0; day < daysOfMonth; day++) {
    const count = from.counts[day] ?? 0;
    const sum = from.sums[day] ?? 0;
    if (count === 0 && sum === 0) continue;
    counts[day] = (counts[day] ?? 0) + count;
    sums[day] = (sums[day] ?? 0) + sum;
  }
}

export function addPayload({ counts, sums }: Days, payload: Buffer): void {
  unpackRollup(payload, (day, count, sum) => {
    counts[day] = (counts[day] ?? 0) + count;
    sums[day] = (sums[day] ?? 0) + sum;
  });
}

/** Null where nothing is left. */
export const packDays = ({ counts, sums }: Days): Buffer | null => packRollup(counts, sums) ?? null;
