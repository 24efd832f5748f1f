/** Equal questions that arrive while one of them is being read share the read; it is given up once all who wait have gone. */
import { codeOf } from '../../errors.js';
import type { AskOptions } from '../cost.js';

interface SharedRead<Answer> {
  /** The newest revision that had been shown when it began. */
  seen: number;
  answer: Promise<Answer>;
  /** How many wait; counted where the one who began can go away. */
  waiting: number;
  gone: AbortController | undefined;
}

export class SharedReads<Answer> {
  readonly #reads = new Map<string, SharedRead<Answer>>();

  /**
   * `seen`: the newest revision that was shown to anybody; a read that began before it was may be of an older one, so it is
   * not joined. Whoever begins a read pays for it. Throws what `work` throws, or the signal's reason.
   */
  async read(
    key: string,
    seen: number,
    options: AskOptions,
    work: (options: AskOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const under = this.#reads.get(key);
    if (!under || under.seen !== seen || under.gone?.signal.aborted)
      return this.#wait(this.#begin(key, seen, options, work), options.signal);
    try {
      return await this.#wait(under, options.signal);
    } catch (error) {
      // What another client may not have read for it, this one may.
      if (codeOf(error) !== 'budget_spent') throw error;
      return work(options);
    }
  }

  #begin(
    key: string,
    seen: number,
    options: AskOptions,
    work: (options: AskOptions) => Promise<Answer>,
  ): SharedRead<Answer> {
    const gone = options.signal && new AbortController();
    const answer = work(gone ? { ...options, signal: gone.signal } : options);
    const read: SharedRead<Answer> = { seen, answer, waiting: 0, gone };
    this.#reads.set(key, read);
    const end = (): void => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    };
    answer.then(end, end);
    return read;
  }

  #wait(read: SharedRead<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    if (!read.gone) return read.answer;
    read.waiting++;
    // Who cannot go away never does.
    if (!signal) return read.answer;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason as Error);
        if (--read.waiting === 0) read.gone?.abort(signal.reason);
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      const stay = (): void => signal.removeEventListener('abort', leave);
      read.answer.then(
        (answer) => (stay(), resolve(answer)),
        (error: unknown) => (stay(), reject(error as Error)),
      );
    });
  }
}
