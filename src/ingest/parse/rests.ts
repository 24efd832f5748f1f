/** Rests of the thread that reads a batch: it sleeps between small pieces of work, where its pace asks for it. */
import { Pace, type SharedPace } from '../../pace.js';

/** A piece of work: some milliseconds, so that whoever shares the machine waits no longer. */
const pieceBytes = 1 << 16;
const segmentsOfPiece = 64;

export class Rests {
  readonly #pace: Pace | undefined;

  constructor(pace: SharedPace | undefined) {
    this.#pace = pace && new Pace(pace);
  }

  /** The bytes in pieces; sleeps after each. What is left at full speed is one piece. */
  *between(bytes: Uint8Array): Generator<Uint8Array> {
    for (let from = 0; from < bytes.length;) {
      const begun = performance.now();
      const to = !this.#pace || this.#pace.fullSpeed ? bytes.length : from + pieceBytes;
      yield bytes.subarray(from, to);
      this.#sleep(begun);
      from = to;
    }
  }

  /** The same values; sleeps now and then while they are made and used. */
  *among<Value>(values: Iterable<Value>): Generator<Value> {
    let begun = performance.now();
    let since = 0;
    for (const value of values) {
      yield value;
      if (++since < segmentsOfPiece) continue;
      this.#sleep(begun);
      since = 0;
      begun = performance.now();
    }
  }

  #sleep(begun: number): void {
    this.#pace?.sleep(this.#pace.rest(performance.now() - begun));
  }
}
