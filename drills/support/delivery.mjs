// One request that changes something, repeated with the same key until its verdict is known. Every try is in the ledger.
import { gzipSync } from 'node:zlib';
import { setTimeout as delay } from 'node:timers/promises';
import { csvOf, itemsOf, sumOf } from './batches.mjs';

const firstPause = 60;
const longestPause = 1_000;

/**
 * @typedef {import('./batches.mjs').Spec} Spec
 * @typedef {import('./client.mjs').Answer} Answer
 * @typedef {{ verdict: string, id?: string, revision?: number, line: string, answer: Answer }} Outcome
 */

/**
 * @param {object} hands
 * @param {import('./client.mjs').Client} hands.client
 * @param {import('./ledger.mjs').Ledger} hands.ledger
 * @param {import('./ledger.mjs').Findings} hands.findings
 * @param {() => boolean} hands.givenUp whether the time for repeats is over
 * @param {Record<string, unknown>} told what the ledger says of the request
 * @param {(turn: number) => Promise<Answer>} attempt
 * @param {(answer: Answer) => string | undefined} verdictOf undefined: none yet
 * @returns {Promise<Outcome>}
 */
export async function repeat({ ledger, findings, givenUp }, told, attempt, verdictOf) {
  for (let turn = 0, pause = firstPause; ; turn++, pause = Math.min(pause * 2, longestPause)) {
    const answer = await attempt(turn);
    const { status, lost, body } = answer;
    const verdict = status === 0 ? undefined : verdictOf(answer);
    const outcome = {
      verdict: verdict ?? 'unknown',
      id: body?.id ?? body?.batch?.id,
      revision: body?.revision ?? undefined,
      withdrawnRevision: body?.withdrawn_revision ?? undefined,
      state: body?.state,
    };
    const line = ledger.write({ ...told, turn, status, lost, code: body?.code, ...outcome });
    if (verdict !== undefined) return { ...outcome, line, answer };
    const expected = status === 0 || status === 503 || body?.code === 'in_progress';
    if (!expected) findings.add('answers', `${line}: ${status} ${JSON.stringify(body)?.slice(0, 300)}`);
    if (givenUp() || (!expected && turn > 3)) {
      findings.add('answers', `${line}: no verdict after ${turn + 1} tries`);
      return { ...outcome, line, answer };
    }
    await delay(pause);
  }
}

/**
 * Publishes a batch; the verdict is published, rejected or refused (what it replaces is not published).
 * @param {Parameters<typeof repeat>[0]} hands
 * @param {{ op: string, key: string, spec: Spec, replaces?: string, cutShare?: number }} what `cutShare` of the body goes
 *   out before the first try is cut; 1: all of it, the answer is not waited for
 */
export function deliver(hands, { op, key, spec, replaces, cutShare }) {
  const { group, count, price, fault, gzip } = spec;
  const items = itemsOf(spec);
  const told = { op, key, replaces, group, count, price, fault, items, sum: sumOf(spec), cutShare };
  const body = gzip ? [gzipSync(Buffer.concat([...csvOf(spec)]), { level: 1 })] : undefined;
  const bytes = body?.[0]?.length ?? items * 28;
  const path = replaces === undefined ? '/batches' : `/batches?replaces=${replaces}`;
  const headers = {
    'content-type': 'text/csv',
    'idempotency-key': key,
    'fairway-items': String(fault === 'count' ? items + 1 : items),
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  };
  if (fault !== undefined && fault !== 'count') delete (/** @type {any} */ (headers)['fairway-items']);
  return repeat(
    hands,
    told,
    (turn) => {
      const cut = turn === 0 && cutShare !== undefined;
      const cutAfter = !cut
        ? Infinity
        : cutShare >= 1
          ? Number.MAX_SAFE_INTEGER
          : Math.ceil(bytes * cutShare);
      return hands.client.send('POST', path, { headers, body: body ?? csvOf(spec), cutAfter });
    },
    (answer) => verdictOfPost(answer),
  );
}

/** @param {Answer} answer */
function verdictOfPost({ status, body }) {
  if (status === 201 || status === 200) return 'published';
  if (status === 422 && body?.code === 'batch_rejected') return 'rejected';
  if (body?.code === 'batch_state') return 'refused';
  return undefined;
}

/** @param {Parameters<typeof repeat>[0]} hands @param {string} id */
export const withdraw = (hands, id) =>
  repeat(
    hands,
    { op: 'withdraw', batch: id },
    () => hands.client.send('DELETE', `/batches/${id}`),
    ({ status }) => (status === 200 ? 'withdrawn' : undefined),
  );
