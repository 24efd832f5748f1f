/**
 * Trying until the verdict is known: in goes one try, out comes its answer, or the error of the last one once patience
 * is at its end. Time and chance are handed in, so that it can be tested without waiting.
 */
import { catalogue, exitCodes, FairwayError } from '../../errors.js';

export interface Try {
  /** Without a byte for so long, the try counts as failed. */
  silenceMilliseconds: number;
}

export interface Retrying {
  patienceMilliseconds: number;
  /** Bytes the last try sent; where it got further than any before, patience begins anew. */
  sent: () => number;
  now: () => number;
  delay: (milliseconds: number) => Promise<unknown>;
  /** From 0 to 1. */
  random: () => number;
  onFailure?: (error: FairwayError, milliseconds: number) => void;
}

const firstPause = 500;
const longestPause = 15_000;
/** A repeat may be kept waiting 30 seconds for the first try of its key. */
const longestSilence = 90_000;
/** The last try of all must have a chance, too. */
const shortestSilence = 1_000;
/** What is sent without anyone there may lie in buffers on the way. */
const leastProgress = 1 << 20;

export const isTransient = (error: unknown): error is FairwayError =>
  error instanceof FairwayError && catalogue[error.code].exit === exitCodes.retry;

/** Throws what is not transient at once. */
export async function untilVerdict<Result>(
  { patienceMilliseconds, sent, now, delay, random, onFailure }: Retrying,
  attempt: (limits: Try) => Promise<Result>,
): Promise<Result> {
  let since = now();
  let most = 0;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const begun = now();
    const left = Math.max(shortestSilence, since + patienceMilliseconds - begun);
    try {
      return await attempt({ silenceMilliseconds: Math.min(left, longestSilence) });
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (sent() > most + leastProgress) {
        most = sent();
        since = now();
        pause = firstPause;
      }
      const remaining = since + patienceMilliseconds - now();
      if (remaining <= 0) throw error;
      // Half of it by chance, so that many who were cut off together do not come back together.
      const wanted = Math.max(pause * (0.5 + random() / 2), (error.retryAfter ?? 0) * 1_000);
      const wait = Math.min(wanted, remaining);
      onFailure?.(error, wait);
      await delay(wait);
    }
  }
}
