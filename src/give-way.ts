/**
 * The load share `auto`: loads have all of the time while few questions are asked, and give way while many are. In go
 * events, out comes the percent of a pace. How the figures were found: docs/decisions/0005-ingest-speed.md.
 */
import type { FairwayEvent } from './events.js';
import type { Pace } from './pace.js';

/** So many questions within a look, 50 a second, are many. */
export const manyQuestions = 25;
const lookMilliseconds = 500;
/** Percent of one core's time that loads have beside them. */
export const besideQuestions = 30;

export class GiveWay {
  readonly #pace: Pace;
  #asked = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Counts questions about rates. Called for each event, so it does next to nothing. */
  observe(event: FairwayEvent): void {
    if (event.kind !== 'request' || !event.route.startsWith('/rates')) return;
    if (++this.#asked === manyQuestions) this.#pace.percent = besideQuestions;
  }

  /** To be called every so often: whether there were few questions since the last time. */
  look(): void {
    if (this.#asked < manyQuestions) this.#pace.percent = 100;
    this.#asked = 0;
  }

  /** Looks twice a second for as long as the process lives. */
  watch(): void {
    setInterval(() => this.look(), lookMilliseconds).unref();
  }
}
