/**
 * The pace of loading: in goes how long somebody worked, out comes how long to rest, so that all the threads of a process
 * together work no more than a share of the time. They share one timeline, on which each books what it used: nobody
 * holds anything that a thread which is ended could take along.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface SharedPace {
  /** One number: the percent of one core's time that is in effect, from 1 to 100; at 100 nobody rests. */
  percent: SharedArrayBuffer;
  /** One number: until when the time is booked, in microseconds of the clock that all threads read. */
  timeline: SharedArrayBuffer;
}

/** Whoever rests on the event loop looks so often whether it still has to. */
const lookMilliseconds = 250;

const microseconds = (): bigint => process.hrtime.bigint() / 1_000n;

export class Pace {
  /** For another thread, which makes its own of it. */
  readonly shared: SharedPace;
  readonly #percent: Int32Array;
  readonly #timeline: BigInt64Array;

  readonly #clock: () => bigint;

  /** The clock gives microseconds. */
  constructor(shared: SharedPace, clock = microseconds) {
    this.shared = shared;
    this.#clock = clock;
    this.#percent = new Int32Array(shared.percent);
    this.#timeline = new BigInt64Array(shared.timeline);
  }

  static of(percent: number): Pace {
    const pace = new Pace({
      percent: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
      timeline: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT),
    });
    pace.percent = percent;
    return pace;
  }

  get percent(): number {
    return Atomics.load(this.#percent, 0);
  }

  /** For all threads; whoever rests by another percent wakes. */
  set percent(percent: number) {
    if (Atomics.exchange(this.#percent, 0, percent) !== percent) Atomics.notify(this.#percent, 0);
  }

  get fullSpeed(): boolean {
    return this.percent >= 100;
  }

  /** Books so many milliseconds of work that ended now; milliseconds to rest. At full speed neither. */
  rest(worked: number): number {
    const { percent } = this;
    if (percent >= 100) return 0;
    const now = this.#clock();
    const used = BigInt(Math.round(worked * 1_000));
    const booked = (used * 100n) / BigInt(percent);
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

  /** Rests on a thread that has nothing else to do, until the percent changes at the latest. */
  sleep(milliseconds: number): void {
    if (milliseconds > 0) Atomics.wait(this.#percent, 0, this.percent, milliseconds);
  }

  /** The same on the event loop. */
  async pause(milliseconds: number): Promise<void> {
    const { percent } = this;
    for (let left = milliseconds; left > 0 && this.percent === percent; left -= lookMilliseconds)
      await delay(Math.min(left, lookMilliseconds));
  }
}

/**
 * To be called between pieces of work: rests for the time since it was called last, where there is a pace, and no longer
 * than so many milliseconds in all.
 */
export function restsBetween(pace: Pace | undefined, longest: number): () => Promise<void> {
  const rests = pace?.within(longest);
  let begun = performance.now();
  return async () => {
    if (!pace || !rests) return;
    await pace.pause(rests.rest(performance.now() - begun));
    begun = performance.now();
  };
}
