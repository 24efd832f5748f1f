/** What both ways to GET /rates (direct.ts, routes/rates.ts) say of an answer: in go an answer and what the client has and takes, out come body and headers. */
import type { Asked, RatesAnswers, RenderedAnswer, Stale } from '../query/answers.js';
import { leastBytes, pack } from './compress.js';
import { chooseEncoding, type Encoding } from './negotiate.js';

/**
 * The text that stands for a question: its address, where another order of parameters is another question. Answers that
 * differ in nothing but `min_revision` are one.
 */
export function askedOf(url: string): Asked {
  const found = url.includes(minimum) ? /[?&]min_revision=([0-9]{1,15})(?=&|$)/.exec(url) : null;
  if (!found) return { key: url, minRevision: undefined };
  return { key: url.replace(found[0], ''), minRevision: Number(found[1]) };
}

/** Where an address has this, it may not stand for its question as it is. */
export const minimum = 'min_revision=';

/**
 * A copy is asked about each time, and may be used without where we cannot be asked. `must-revalidate` and `no-cache`
 * would forbid that. Sources: RFC 9111, 4.2.4 and 5.2.2; RFC 5861, 4.
 */
export const cacheControlOf = (staleSeconds: number): string =>
  staleSeconds > 0
    ? `public, max-age=0, stale-if-error=${staleSeconds}`
    : 'public, max-age=0, must-revalidate';

/** Whether the client has it, by If-None-Match. Tags are compared weakly. Source: RFC 9110, 13.1.2. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = etag.slice(2);
  return ifNoneMatch.split(',').some((tag) => {
    const text = tag.trim();
    return text === '*' || text === etag || text === opaque;
  });
}

export interface Representation {
  body: string | Buffer;
  encoding: Encoding | undefined;
}

/** The body as the client likes it best; what was packed stays with an answer that is kept. */
export function represent(
  answers: RatesAnswers,
  answer: RenderedAnswer,
  acceptEncoding: string | undefined,
): Representation | Promise<Representation> {
  const { body, bytes, packed } = answer;
  const encoding =
    acceptEncoding === undefined || bytes < leastBytes ? undefined : chooseEncoding(acceptEncoding);
  if (!encoding) return { body, encoding };
  const ready = packed?.[encoding];
  if (ready) return { body: ready, encoding };
  return pack(encoding, body).then((small) => {
    answer.packed = { ...answer.packed, [encoding]: small };
    answers.grown(answer);
    return { body: small, encoding };
  });
}

/** Headers of an answer that may not be the newest: its age, and why nobody knows. Source: RFC 9111, 5.1. */
export const staleHeaders = ({ age, reason }: Stale) => ({
  age: String(Math.ceil(age / 1_000)),
  'rates-stale': reason,
});

/** Server-Timing: where the answer came from. */
export const timingOf = (kept: boolean, begun: number): string =>
  kept ? 'cache' : `db;dur=${(performance.now() - begun).toFixed(2)}`;

export const varyOfRates = 'Accept, Accept-Encoding';
