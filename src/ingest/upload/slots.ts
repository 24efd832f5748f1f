/** Admission: so much work at once, a short wait in order of arrival, then a refusal. In goes work, out comes what it gives. */
import { FairwayError } from '../../errors.js';

interface Waiting {
  begin(): void;
  timer: NodeJS.Timeout;
}

export class Slots {
  readonly #limit: number;
  readonly #waitMilliseconds: number;
  readonly #waiting = new Set<Waiting>();
  #taken = 0;

  constructor(limit: number, waitMilliseconds: number) {
    this.#limit = limit;
    this.#waitMilliseconds = waitMilliseconds;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Throws `overloaded` where no slot became free in time. */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken < this.#limit) this.#taken++;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves once a slot was handed over. */
  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        begin: () => {
          clearTimeout(waiting.timer);
          resolve();
        },
        timer: setTimeout(() => {
          this.#waiting.delete(waiting);
          reject(
            new FairwayError(
              'overloaded',
              `${this.#limit} uploads are being loaded, which is as many as this process takes at once; try again in a moment`,
              { retryAfter: 2 },
            ),
          );
        }, this.#waitMilliseconds),
      };
      this.#waiting.add(waiting);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next.begin();
    } else this.#taken--;
  }
}
