/**
 * Who asks questions, by the key that is shown: in goes an Authorization header, out comes the number of the key. Keys
 * that were seen lately are remembered, so that a question takes no second statement, and answers that are kept go out
 * while the database is away.
 */
import { LRUCache } from 'lru-cache';
import type { Database, ReadOptions } from '../database/database.js';
import { FairwayError } from '../errors.js';
import { hashOf, keyBy, secretOf } from './keys.js';

/** Keys that are remembered. */
const mostKeys = 10_000;
/** A key counts for so long without a look: so soon is one refused that was revoked. */
const trustedMilliseconds = 10_000;
/** Who is remembered waits no longer for the look: a database that takes longer is as good as away. */
const patienceMilliseconds = 1_000;

export interface ReadersOptions {
  /** Asked first; what it does not know yet is asked of the primary. */
  reads: Database;
  primary: Database;
  /** How long a key counts while the database is away. */
  staleMilliseconds: number;
  /** Why there is no use in asking the database, where that is known. */
  away: () => FairwayError | undefined;
}

export class Readers {
  readonly #options: ReadersOptions;
  readonly #now: () => number;
  /** By hash: the key's number, and when it was looked up. */
  readonly #known = new LRUCache<string, { id: string; at: number }>({ max: mostKeys });

  constructor(options: ReadersOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  /** Undefined where no key is shown, or one that is not known or was revoked. Throws what asking the database throws. */
  async find(authorization: string | undefined, options: ReadOptions): Promise<string | undefined> {
    const secret = secretOf(authorization);
    if (secret === undefined) return undefined;
    const hash = hashOf(secret);
    const name = hash.toString('base64');
    const known = this.#known.get(name);
    const now = this.#now();
    if (known && now - known.at < trustedMilliseconds) return known.id;
    const deadline = known
      ? Math.min(options.deadline ?? Infinity, performance.now() + patienceMilliseconds)
      : options.deadline;
    try {
      const key = await this.#lookUp(hash, deadline === undefined ? {} : { deadline });
      if (key) this.#known.set(name, { id: key.id, at: now });
      else this.#known.delete(name);
      return key?.id;
    } catch (error) {
      if (known && isAway(error) && now - known.at <= this.#options.staleMilliseconds) return known.id;
      throw error;
    }
  }

  async #lookUp(hash: Buffer, options: ReadOptions) {
    const { reads, primary, away } = this.#options;
    const known = away();
    if (known) throw known;
    const key = await keyBy(reads, hash, options);
    return key ?? (reads === primary ? undefined : keyBy(primary, hash, options));
  }
}

/** Whether the database did not say. */
export const isAway = (error: unknown): error is FairwayError =>
  error instanceof FairwayError && error.status === 503;
