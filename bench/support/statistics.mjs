// Arithmetic of a bench: medians, the order of a round, random numbers that are the same each time. Pure.

/** The middle value; the mean of the two middle ones where their number is even. NaN for none. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The order of a round: each starts one further on, so that nobody always comes after the same neighbour's noise first. */
export function rotate(values, round) {
  const start = values.length === 0 ? 0 : round % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}

/** The median over rounds of one peer's figure over another's of the same round, taken seconds apart. */
export function medianRatio(values, others) {
  return median(values.map((value, round) => value / others[round]));
}

/** Numbers from 0 to below 1. Source: the public-domain generator mulberry32 by Tommy Ettinger. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shuffles in place (Fisher and Yates) and returns the array. */
export function shuffle(values, random) {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [values[last], values[other]] = [values[other], values[last]];
  }
  return values;
}

/** Cuts into `count` pieces of one size, at most `longest` each, none sharing a value with another. */
export function slices(values, count, longest) {
  const size = Math.min(longest, Math.floor(values.length / count));
  return Array.from({ length: count }, (_, index) => values.slice(index * size, (index + 1) * size));
}

const bucketsPerMillisecond = 100;

/** Latencies in steps of 10 µs up to 1 s; what is longer counts as 1 s. */
export class Histogram {
  counts = new Uint32Array(1_000 * bucketsPerMillisecond + 1);
  total = 0;

  add(milliseconds) {
    const bucket = Math.floor(milliseconds * bucketsPerMillisecond);
    this.counts[Math.min(bucket, this.counts.length - 1)]++;
    this.total++;
  }

  /** Milliseconds below which `share` of the values lie. */
  quantile(share) {
    let left = Math.ceil(this.total * share);
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      left -= this.counts[bucket];
      if (left <= 0) return (bucket + 1) / bucketsPerMillisecond;
    }
    return Number.NaN;
  }
}
