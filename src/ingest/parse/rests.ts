/** Rests of the thread that reads a batch: it sleeps between small pieces of work, where its pace asks for it. */
import { Pace, type SharedPace } from '../../pace.js';

/** A piece of work: some milliseconds, so that whoever shares the machine waits no longer. */
const pieceBytes = 1 << 16;
const segmentsOfPiece = 64;

const bell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

export class Rests {
  readonly #pace: Pace | undefined;

  constructor(pace: SharedPace | undefined) {
    this.#pace = pace && new Pace(pace);
  }

  /** The bytes in pieces; sleeps after each. */
  *between(bytes: Uint8Array): Generator<Uint8Array> {
    if (!this.#pace) {
      yield bytes;
      return;
    }
    for (let from = 0; from < bytes.length; from += pieceBytes) {
      const begun = performance.now();
      yield bytes.subarray(from, from + pieceBytes);
      this.#sleep(this.#pace, begun);
    }
  }

  /** The same values; sleeps now and then while they are made and used. */
  *among<Value>(values: Iterable<Value>): Generator<Value> {
    let begun = performance.now();
    let since = 0;
    for (const value of values) {
      yield value;
      if (!this.#pace || ++since < segmentsOfPiece) continue;
      this.#sleep(this.#pace, begun);
      since = 0;
      begun = performance.now();
    }
  }

  #sleep(pace: Pace, begun: number): void {
    const rest = pace.rest(performance.now() - begun);
    // Nobody rings: the time-out is the point. The thread has nothing else to do.
    if (rest > 0) Atomics.wait(bell, 0, 0, rest);
  }
}
