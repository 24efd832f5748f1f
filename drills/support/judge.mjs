// What becomes of a reader's answers: those that can be seen to be wrong by themselves are findings, all are in its ledger.

import { setTimeout as delay } from 'node:timers/promises';

/** After no answer, so that a service that starts has the machine. */
const pauseMilliseconds = 50;

/** @typedef {import('./reader.mjs').Reader} Reader */

/**
 * @typedef {{ day?: string, count: number, price: number | null }} Day
 *
 * @typedef {object} Seen what an answer says of one group
 * @property {string} path
 * @property {number} group
 * @property {number} lanes
 * @property {readonly Day[]} days all alike, where it is right
 * @property {number} length how many days there must be
 * @property {number} revision
 * @property {number} [asOf]
 * @property {boolean} [copied] it is what a copy says that was kept by changes
 * @property {readonly [string, number][]} [batches] those behind a day, with their items
 */

/**
 * The answer, where it is one; all else is counted, and found broken where it should not be.
 * @param {Reader} reader
 * @param {string} path
 * @param {Parameters<import('./client.mjs').Client['send']>[2] & { method?: string }} [more]
 */
export async function ask({ client, counts, ledger, findings }, path, { method = 'GET', ...more } = {}) {
  const answer = await client.send(method, path, more);
  if (answer.status === 200) return answer;
  counts['unanswered']++;
  const { status, lost, body } = answer;
  const line = ledger.write({ path, status, lost, code: body?.code });
  if (status !== 0 && status !== 503)
    findings.add('answers', `${line}: ${status} ${JSON.stringify(body)?.slice(0, 300)}`);
  await delay(pauseMilliseconds);
  return undefined;
}

/** What can be seen from the answer alone. @param {Reader} reader @param {Seen} seen */
export function judge({ counts, findings, steady, ledger }, seen) {
  const { path, group, lanes, days, length, revision, asOf, copied, batches } = seen;
  const count = days[0]?.count ?? 0;
  const price = days[0]?.price ?? null;
  const sum = price === null ? null : Math.round(price * count);
  const line = ledger.write({ group, lanes, revision, count, sum, asOf, copied, batches, path });
  counts['answers']++;
  if (count > 0) counts['filled']++;
  const even = days.length === length && days.every((day) => day.count === count && day.price === price);
  if (!even || count % lanes !== 0)
    findings.add('whole', `${line}: part of a batch shows: ${JSON.stringify(days)} over ${lanes} lanes`);
  const same = steady.get(group);
  if (same && count > 0) counts['steady']++;
  if (same && (count !== same.count * lanes || (sum !== null && sum !== count * same.price)))
    findings.add(
      'whole',
      `${line}: ${count} items of sum ${sum} where ${same.count * lanes} at ${same.price} always are`,
    );
}

/**
 * Revisions never go backwards: without a standby for no answer of now, with one for those that were to have a least one.
 * @param {Reader} reader
 * @param {{ path: string, revision: number, asOf?: number | undefined, minRevision?: number | undefined }} answer
 */
export function order(reader, { path, revision, asOf, minRevision }) {
  if (asOf !== undefined) {
    if (revision !== asOf)
      reader.findings.add('past', `as_of ${asOf} is answered as of ${revision}: ${path}`);
    return;
  }
  const least = Math.max(minRevision ?? 0, reader.standby ? 0 : reader.newest);
  const line = reader.ledger.write({ answered: revision, least, path });
  if (!(revision >= least))
    reader.findings.add('forward', `${line}: revision ${revision} where ${least} was the least`);
  reader.newest = Math.max(reader.newest, revision);
}
