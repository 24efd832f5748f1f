/**
 * Answers kept in memory: in goes a question under the text that stands for it, out comes the rendered answer and its
 * revision. While the database answers, a kept answer goes out only where it is known, as of the last 100 ms, to hold at
 * the newest revision; while it does not, marked as stale, for a while. docs/decisions/0006-cache.md.
 */
import { hash } from 'node:crypto';
import type { Emit } from '../events.js';
import { codeOf } from '../errors.js';
import { daysOf } from './between.js';
import { keyOfLane, laneAsked, LaneStore } from './cache/lanes.js';
import { SharedReads } from './cache/shared-reads.js';
import { AnswerStore, type RenderedAnswer } from './cache/store.js';
import type { AskOptions } from './cost.js';
import { Head, type News } from './head.js';
import { ratesBetween, type RatesAnswer, type RatesQuestion, type RatesSource } from './rates.js';
import { renderRates } from './render.js';
import { addUpRows } from './totals.js';

export type { RenderedAnswer } from './cache/store.js';

export interface AnswersOptions {
  source: RatesSource;
  emit: Emit;
  /** What the kept answers may take up; 0 keeps none. */
  cacheBytes: number;
  /** How old a kept answer may be that goes out while the database does not answer; 0: none does. */
  staleMilliseconds?: number;
  /** Called where an answer found the rollups behind. */
  onBehind?: () => void;
}

/** An answer on its way out. */
export interface Served {
  answer: RenderedAnswer;
  /** Whether it was kept. */
  kept: boolean;
  /** Where it is not known to be the newest. */
  stale?: Stale;
}

export interface Stale {
  /** Milliseconds since it was last known to be. */
  age: number;
  /** Code of the error that the database was last asked with. */
  reason: string;
}

export interface Asked {
  /** Stands for the question: what is kept, is kept under this. */
  key: string;
  /** The answer must be of this revision or a later one. */
  minRevision: number | undefined;
}

type Render = (question: RatesQuestion, rates: RatesAnswer) => string;

const asJson: Render = (_question, { totals, statistics }) => renderRates(totals, statistics);

const hit = { kind: 'answer-cache', outcome: 'hit' } as const;
const stale = { kind: 'answer-cache', outcome: 'stale' } as const;
const ofLane = { kind: 'answer-cache', outcome: 'lane' } as const;
const miss = { kind: 'answer-cache', outcome: 'miss' } as const;

export class RatesAnswers {
  readonly head: Head;
  readonly #options: AnswersOptions;
  readonly #asked = new AskedLately();
  readonly #store: AnswerStore | undefined;
  readonly #lanesAsked = new AskedLately();
  /** Whether the rollups were when last seen: then they are not the whole of a lane. */
  #behind = false;
  readonly #lanes: LaneStore | undefined;
  readonly #reads = new SharedReads<RenderedAnswer>();

  constructor(options: AnswersOptions) {
    const { source, cacheBytes } = options;
    this.#options = options;
    this.head = new Head(source.database, (news) => this.#hear(news));
    if (cacheBytes === 0) return;
    this.#store = new AnswerStore(cacheBytes / 2);
    this.#lanes = new LaneStore(cacheBytes / 2);
  }

  /** The kept answer to a question without `min_revision`, where it is known at once to be of the newest revision. `now`: as `performance.now()` has it. */
  kept(key: string, now: number): RenderedAnswer | undefined {
    if (!this.#store) return undefined;
    this.head.asked(now);
    return this.head.isFresh(now) ? this.#fresh(this.#store, key) : undefined;
  }

  /**
   * The answer to a question; it is read, once for all who ask it at the same time, only where no answer is kept.
   * Throws what reading it throws, `place_unknown`, `database_timeout`, `database_unavailable`, `overloaded`.
   */
  async answer(
    asked: Asked,
    readQuestion: () => RatesQuestion,
    options: AskOptions,
    render = asJson,
  ): Promise<Served> {
    const { key, minRevision } = asked;
    if (this.#store) {
      this.head.asked(performance.now());
      const kept = this.#store.has(key) ? await this.#confirmed(this.#store, asked) : undefined;
      if (kept) return kept;
    }
    const question = readQuestion();
    const computed = this.#fromLane(asked, question, render);
    if (computed) return computed;
    // Nobody waits for a database that is known to be away.
    if (this.head.away) throw this.head.away;
    const together = minRevision === undefined ? key : `${minRevision} ${key}`;
    const answer = await this.#reads.read(together, this.head.seen, options, (shared) =>
      this.#read(key, question, shared, render),
    );
    this.#options.emit(miss);
    return { answer, kept: false };
  }

  /** To be called after what was packed came to an answer. */
  grown(answer: RenderedAnswer): void {
    this.#store?.resize(answer);
  }

  /** What is kept. */
  get size(): AnswerStore['size'] & { lanes: LaneStore['size'] } {
    const none = { answers: 0, pairs: 0, bytes: 0 };
    return { ...(this.#store?.size ?? none), lanes: this.#lanes?.size ?? { lanes: 0, bytes: 0 } };
  }

  close(): void {
    this.head.close();
  }

  #fresh(store: AnswerStore, key: string): RenderedAnswer | undefined {
    const answer = store.get(key);
    if (!answer) return undefined;
    // No revision up to this one touched it, or it would be gone.
    if (answer.asOf === undefined && answer.revision < this.head.revision)
      answer.revision = this.head.revision;
    this.#options.emit(hit);
    return answer;
  }

  /** A kept answer after a look whether it still holds; the newest known where the database does not say. */
  async #confirmed(store: AnswerStore, { key, minRevision = 0 }: Asked): Promise<Served | undefined> {
    await this.head.refresh();
    const { failure, revision, confirmedAt } = this.head;
    const now = performance.now();
    const kept = store.get(key);
    if (!kept || Math.max(revision, kept.revision) < minRevision) return undefined;
    if (this.head.isFresh(now)) {
      const answer = this.#fresh(store, key);
      return answer && { answer, kept: true };
    }
    if (failure === undefined) return undefined;
    const age = now - Math.max(confirmedAt, kept.readAt);
    if (!this.#mayBeStale(age)) return undefined;
    if (kept.asOf === undefined && kept.revision < revision) kept.revision = revision;
    this.#options.emit(stale);
    return { answer: kept, kept: true, stale: staleBy(age, failure) };
  }

  /** From the lane that is kept: at the newest revision, or marked as stale while the database is away. */
  #fromLane({ key, minRevision = 0 }: Asked, question: RatesQuestion, render: Render): Served | undefined {
    const lane = this.#lanes && laneAsked(question);
    const now = performance.now();
    const { confirmedAt, away } = this.head;
    const fresh = this.head.isFresh(now);
    if (lane === undefined || !(fresh || (away && this.#mayBeStale(now - confirmedAt)))) return undefined;
    const kept = this.#lanes?.get(lane, daysOf(question));
    // No revision up to the head's touched it, or it would be gone.
    const revision = Math.max(this.head.revision, kept?.revision ?? 0);
    if (!kept || revision < minRevision) return undefined;
    const totals = addUpRows(kept.rows, question);
    const rates = { revision, newest: revision, rolled: revision, totals };
    const answer = rendered(render(question, rates), revision, confirmedAt);
    if (fresh && this.#asked.again(key)) this.#store?.set(key, answer, question);
    this.#options.emit(fresh ? ofLane : stale);
    return { answer, kept: true, ...(fresh ? {} : { stale: staleBy(now - confirmedAt, away) }) };
  }

  #mayBeStale(age: number): boolean {
    return age <= (this.#options.staleMilliseconds ?? 0);
  }

  async #read(
    key: string,
    question: RatesQuestion,
    options: AskOptions,
    render: Render,
  ): Promise<RenderedAnswer> {
    const { source, onBehind } = this.#options;
    const readAt = performance.now();
    const lane = this.#lanes && laneAsked(question);
    const whole = lane !== undefined && this.#lanesAsked.again(lane) && !this.#behind;
    const rates = await ratesBetween(source, whole ? { ...question, wholeLane: true } : question, options);
    const { revision, newest, rolled, tree, laneRows } = rates;
    this.head.learn(newest);
    this.#behind = rolled !== newest;
    if (this.#behind) onBehind?.();
    const answer = rendered(render(question, rates), revision, readAt);
    // What changed up to the head's revision has been heard already: an older answer would never hear of it.
    if (newest < this.head.revision) return answer;
    if (whole && laneRows) this.#lanes?.set(lane, revision, laneRows);
    if (this.#store && this.#asked.again(key)) this.#store.set(key, answer, question, tree);
    return answer;
  }

  #hear(news: News): void {
    const { touched, revision } = news;
    if (touched === undefined) this.#lanes?.dropBefore(revision);
    else
      for (const [at, lanes] of touched)
        for (const [origin, destination] of lanes) this.#lanes?.drop(keyOfLane(origin, destination), at);
    this.#store?.hear(news, (reason, answers) => {
      if (answers > 0) this.#options.emit({ kind: 'answers-dropped', reason, answers });
    });
  }
}

const staleBy = (age: number, failure: unknown): Stale => ({
  age,
  reason: codeOf(failure) ?? 'internal_error',
});

function rendered(body: string, revision: number, readAt: number): RenderedAnswer {
  const etag = `W/"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
  return { revision, body, bytes: body.length, etag, readAt };
}

/** Keys that one half of the memory holds. */
const keysOfHalf = 8_192;
/** An address may have 4,096 characters, and that many of them are more than what is kept: longer keys are never there. */
const longestKey = 512;

/**
 * Which keys were asked for lately, in two halves that take turns. Most questions are asked once: an answer is worth
 * its memory, and the work of collecting it later, only from the second time on.
 */
class AskedLately {
  #recent = new Set<string>();
  #before = new Set<string>();

  /** Whether the key was there already; it is now. */
  again(key: string): boolean {
    if (key.length > longestKey) return false;
    if (this.#recent.has(key)) return true;
    if (this.#recent.size >= keysOfHalf) {
      this.#before = this.#recent;
      this.#recent = new Set();
    }
    this.#recent.add(key);
    return this.#before.has(key);
  }
}
