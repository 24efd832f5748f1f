/**
 * The pace of loading: in goes how long somebody worked, out comes how long to rest, so that all the threads of a process
 * together work no more than a share of the time. They share one timeline, on which each books what it used: nobody
 * holds anything that a thread which is ended could take along.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface SharedPace {
  /** Of one core's time, from 1 to 100. */
  percent: number;
  /** One number: until when the time is booked, in microseconds of the clock that all threads read. */
  timeline: SharedArrayBuffer;
}

/** Undefined for all of the time: then there is nothing to rest for. */
export const paceOf = (percent: number): Pace | undefined =>
  percent >= 100
    ? undefined
    : new Pace({ percent, timeline: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) });

const microseconds = (): bigint => process.hrtime.bigint() / 1_000n;

export class Pace {
  /** For another thread, which makes its own of it. */
  readonly shared: SharedPace;
  readonly #timeline: BigInt64Array;

  readonly #clock: () => bigint;

  /** The clock gives microseconds. */
  constructor(shared: SharedPace, clock = microseconds) {
    this.shared = shared;
    this.#clock = clock;
    this.#timeline = new BigInt64Array(shared.timeline);
  }

  /** Books so many milliseconds of work that ended now; milliseconds to rest. */
  rest(worked: number): number {
    const now = this.#clock();
    const used = BigInt(Math.round(worked * 1_000));
    const booked = (used * 100n) / BigInt(this.shared.percent);
    for (;;) {
      const before = Atomics.load(this.#timeline, 0);
      const begun = now - used;
      const until = (before > begun ? before : begun) + booked;
      if (Atomics.compareExchange(this.#timeline, 0, before, until) === before)
        return Number(until - now) / 1_000;
    }
  }

  /**
   * The same, with rests of no more than so many milliseconds in all: for work that must end. What is not rested stays
   * booked, for whoever works next.
   */
  within(milliseconds: number): Pick<Pace, 'rest'> {
    let left = milliseconds;
    return {
      rest: (worked) => {
        const rest = Math.max(0, Math.min(this.rest(worked), left));
        left -= rest;
        return rest;
      },
    };
  }
}

/** To be called between pieces of work: rests for the time since it was called last, where there is a pace. */
export function restsBetween(pace: Pick<Pace, 'rest'> | undefined): () => Promise<void> {
  let begun = performance.now();
  return async () => {
    if (!pace) return;
    await delay(pace.rest(performance.now() - begun));
    begun = performance.now();
  };
}
