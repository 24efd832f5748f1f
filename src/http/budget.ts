/**
 * What a client may ask for: costly questions are paid from a budget of its own, which fills up again by the minute.
 * In goes what a question costs, in rows that it reads, before it runs; out comes nothing, or the refusal.
 */
import { LRUCache } from 'lru-cache';
import { FairwayError } from '../errors.js';

/** Clients that are remembered; one that is forgotten begins with a full budget. */
const mostClients = 10_000;
const minute = 60_000;

interface Account {
  left: number;
  /** When that was so, on the clock of `performance.now()`. */
  at: number;
}

export class Budgets {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #accounts = new LRUCache<string, Account>({ max: mostClients });

  /** 0 rows: there is no budget. */
  constructor(rowsPerMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = rowsPerMinute;
    this.#now = now;
  }

  /**
   * Takes the cost from the client's budget. What is left may fall below zero, so that a question that costs more than
   * a minute's budget can be asked at all; the next one waits until it is paid for. Throws `budget_spent`.
   */
  charge(client: string, rows: number): void {
    if (this.#perMinute === 0) return;
    const now = this.#now();
    const { left, at } = this.#accounts.get(client) ?? { left: this.#perMinute, at: now };
    const current = Math.min(this.#perMinute, left + ((now - at) / minute) * this.#perMinute);
    if (current <= 0) throw spent(Math.ceil((-current / this.#perMinute) * 60) + 1);
    this.#accounts.set(client, { left: current - rows, at: now });
  }
}

const spent = (seconds: number): FairwayError =>
  new FairwayError(
    'budget_spent',
    `this client has asked for more than its share just now; ask again in ${seconds} seconds, or for less at once`,
    { retryAfter: seconds },
  );
