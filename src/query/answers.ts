/**
 * Answers kept in memory: in goes a question under the text that stands for it, out comes the rendered answer and its
 * revision. A kept answer goes out only while its revision is the newest, so it is never older than `Head` allows.
 */
import { LRUCache } from 'lru-cache';
import type { AskOptions } from './cost.js';
import type { Emit } from '../events.js';
import { Head } from './head.js';
import { ratesBetween, type RatesQuestion, type RatesSource } from './rates.js';
import { renderRates } from './render.js';

export interface RenderedAnswer {
  revision: number;
  /** JSON, in ASCII. */
  body: string;
  /** Length of the body in bytes. */
  bytes: number;
}

export interface AnswersOptions {
  source: RatesSource;
  emit: Emit;
  /** What the kept answers may take up; 0 keeps none. */
  cacheBytes: number;
  /** Called where an answer found the rollups behind. */
  onBehind?: () => void;
}

/** What an entry takes beside its texts. */
const entryBytes = 200;

export class RatesAnswers {
  readonly head: Head;
  readonly #options: AnswersOptions;
  readonly #asked = new AskedLately();
  readonly #kept: LRUCache<string, RenderedAnswer> | undefined;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.head = new Head(options.source.database);
    if (options.cacheBytes > 0) {
      this.#kept = new LRUCache<string, RenderedAnswer>({
        maxSize: options.cacheBytes,
        maxEntrySize: Math.ceil(options.cacheBytes / 8),
        sizeCalculation: ({ body }, key) => body.length + key.length + entryBytes,
      });
    }
  }

  /** The kept answer, where it is known at once that it is of the newest revision. */
  kept(key: string): RenderedAnswer | undefined {
    const revision = this.head.fresh;
    return revision === undefined ? undefined : this.#keptAt(key, revision);
  }

  /**
   * The answer to a question under the text that stands for it; the question is read only where no answer is kept.
   * Throws what reading it throws, `place_unknown`, `database_timeout`, `database_unavailable`, `overloaded`.
   */
  async answer(key: string, readQuestion: () => RatesQuestion, options: AskOptions): Promise<RenderedAnswer> {
    const { source, emit, onBehind } = this.#options;
    if (this.#kept?.has(key)) {
      const answer = this.#keptAt(key, await this.head.current(options));
      if (answer) return answer;
    }
    const question = readQuestion();
    const begun = performance.now();
    const { revision, newest, rolled, totals, statistics } = await ratesBetween(source, question, options);
    this.head.learn(newest, begun);
    if (rolled !== newest) onBehind?.();
    const body = renderRates(totals, statistics);
    const answer = { revision, body, bytes: body.length };
    if (this.#kept && this.#asked.again(key)) this.#kept.set(key, answer);
    emit({ kind: 'answer-cache', hit: false });
    return answer;
  }

  #keptAt(key: string, revision: number): RenderedAnswer | undefined {
    const answer = this.#kept?.get(key);
    if (answer?.revision !== revision) return undefined;
    this.#options.emit({ kind: 'answer-cache', hit: true });
    return answer;
  }
}

/** Keys that one half of the memory holds. */
const keysOfHalf = 8_192;

/**
 * Which keys were asked for lately, in two halves that take turns. Most questions are asked once: an answer is worth
 * its memory, and the work of collecting it later, only from the second time on.
 */
class AskedLately {
  #recent = new Set<string>();
  #before = new Set<string>();

  /** Whether the key was there already; it is now. */
  again(key: string): boolean {
    if (this.#recent.has(key)) return true;
    if (this.#recent.size >= keysOfHalf) {
      this.#before = this.#recent;
      this.#recent = new Set();
    }
    this.#recent.add(key);
    return this.#before.has(key);
  }
}
