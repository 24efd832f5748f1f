/**
 * The newest revision, as this process knows it: the node that answers questions is asked for it again and again while
 * somebody asks us, and tells in the same snapshot what changed meanwhile. An idle service asks nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, ReadOptions } from '../database/database.js';
import { overloaded } from '../database/failures.js';
import { codeOf, FairwayError } from '../errors.js';
import { newsSince, type NewsRow } from './cache/sql.js';
import { headOf, type HeadRow, type OldestRow } from './sql.js';

/** How long ago the newest revision may have been asked for: an answer from memory is at most so old. */
export const freshMilliseconds = 100;
/** From one asking to the next: so much earlier that nobody waits for it. */
const pollMilliseconds = 75;
/** After so long without a question nothing is asked; while the database is away, after the longer one. */
const idleMilliseconds = 1_000;
const idleAwayMilliseconds = 30_000;
/** A database that takes longer is as good as away. */
const patienceMilliseconds = 1_000;
/** Who waited so much longer did not even get a connection. */
const connectionMilliseconds = 250;
/** With more lanes touched at once, all of them count as touched. */
const mostLanes = 10_000;

export interface News {
  revision: number;
  /** Newest revision that changed places. */
  places: number;
  /** The oldest revision that can be asked about. */
  oldest: number;
  /** Lanes by the revision that touched them; undefined where any may have been. */
  touched: NonNullable<NewsRow['touched']> | undefined;
}

export class Head {
  readonly #database: Database;
  readonly #onNews: (news: News) => void;
  #revision = -1;
  /** When the asking began that told it, or told that there is nothing newer. */
  #confirmedAt = -Infinity;
  /** The newest revision that any answer has shown, and when it was heard of. */
  #seen = -1;
  #seenAt = -Infinity;
  #askedAt = -Infinity;
  #polling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  /** Askings that failed one after the other. */
  #failures = 0;
  #closed = false;

  /** `onNews` is called before the revision counts as known. */
  constructor(database: Database, onNews: (news: News) => void = () => undefined) {
    this.#database = database;
    this.#onNews = onNews;
  }

  /** The newest revision whose changes are known here; -1 before any is. */
  get revision(): number {
    return this.#revision;
  }

  /** When that was last known to be the newest, on the clock of `performance.now()`. */
  get confirmedAt(): number {
    return this.#confirmedAt;
  }

  /** The newest revision that this process has shown to anybody. */
  get seen(): number {
    return this.#seen;
  }

  /** Why the database did not say what is new when it was last asked; undefined where it did. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Why there is no use in asking the database anything: it failed us twice, and is asked again all the time. */
  get away(): FairwayError | undefined {
    const known = this.#failures > 1 && this.#failure instanceof FairwayError ? this.#failure : undefined;
    // What is merely busy answers those who wait.
    return known?.code === 'overloaded' ? undefined : known;
  }

  isFresh(now: number): boolean {
    return now - this.#confirmedAt < freshMilliseconds && this.#revision >= this.#seen;
  }

  /** Somebody asks: from now on the head is kept fresh, for a while. */
  asked(now: number): void {
    this.#askedAt = now;
    if (this.#timer === undefined && !this.#closed) this.#next(0);
  }

  /** An answer showed this revision: no older one goes out from here, until the node itself says that it has none newer. */
  learn(revision: number): void {
    if (revision <= this.#seen) return;
    this.#seen = revision;
    this.#seenAt = performance.now();
  }

  /** Asks what is new unless that is known. Never throws: `failure` says why it is not known. */
  async refresh(): Promise<void> {
    // An asking that others had begun may be from before what was seen; the next one is not.
    for (let times = 0; times < 2; times++) {
      if (this.isFresh(performance.now()) || this.#failure !== undefined) return;
      await this.#poll();
    }
  }

  /** The newest revision, asked of the database however lately it was asked. */
  async ask(options: ReadOptions): Promise<number> {
    const revision = await newestRevision(this.#database, options);
    this.learn(revision);
    return revision;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #next(milliseconds: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#tick(), milliseconds).unref();
  }

  async #tick(): Promise<void> {
    const begun = performance.now();
    const away = this.#failure !== undefined;
    if (begun - this.#askedAt > (away ? idleAwayMilliseconds : idleMilliseconds)) {
      this.#timer = undefined;
      this.#succeeded();
      return;
    }
    await this.#poll();
    this.#next(Math.max(0, begun + pollMilliseconds - performance.now()));
  }

  #poll(): Promise<void> {
    this.#polling ??= this.#askNews().finally(() => (this.#polling = undefined));
    return this.#polling;
  }

  async #askNews(): Promise<void> {
    const begun = performance.now();
    // A database that took too long may do so because of what it was asked to tell: then only for the head.
    const headAlone = codeOf(this.#failure) === 'database_timeout';
    const reading = this.#readNews(headAlone, { deadline: begun + patienceMilliseconds });
    const ended = new AbortController();
    const late = delay(patienceMilliseconds + connectionMilliseconds, undefined, {
      signal: ended.signal,
      ref: false,
    });
    try {
      const news = await Promise.race([reading, late.then(() => Promise.reject(overloaded()))]);
      if (news) this.#heard(news, begun);
      this.#succeeded();
    } catch (error) {
      this.#failures++;
      // A connection that is not to be had says less than what was known before.
      if (codeOf(error) !== 'overloaded' || this.#failure === undefined) this.#failure = error;
    } finally {
      ended.abort();
      late.catch(() => undefined);
      reading.catch(() => undefined);
    }
  }

  /** What changed is asked only where something did: nothing but this waits for a lock on the tables of items. */
  async #readNews(headAlone: boolean, options: ReadOptions): Promise<NewsRow | undefined> {
    const [head] = await this.#database.read<HeadRow & OldestRow>(headOf, options);
    if (!head || headAlone || this.#revision < 0 || Number(head.revision) === this.#revision)
      return head && { ...head, touched: null };
    const [news] = await this.#database.read<NewsRow>(newsSince(this.#revision, mostLanes), options);
    return news;
  }

  #succeeded(): void {
    this.#failure = undefined;
    this.#failures = 0;
  }

  #heard(row: NewsRow, begun: number): void {
    const revision = Number(row.revision);
    // Behind one address there may be several nodes, and this one behind another: it tells nothing.
    if (revision < this.#revision) return;
    this.#onNews({
      revision,
      places: Number(row.places_revision),
      oldest: Number(row.oldest_revision),
      touched: revision === this.#revision ? [] : (row.touched ?? undefined),
    });
    this.#revision = revision;
    this.#confirmedAt = begun;
    // Asked after that was seen, the node has none newer: another one had.
    if (begun >= this.#seenAt) this.#seen = revision;
  }
}

/** The newest revision, asked of the database. */
export async function newestRevision(database: Database, options: ReadOptions = {}): Promise<number> {
  const [row] = await database.read<HeadRow>(headOf, options);
  return Number(row?.revision ?? 0);
}
