// Reads the ledgers: in go files of lines, out comes the last verdict of each key, each withdrawal, each answer read.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Key what a client was told last of one Idempotency-Key
 * @property {string} where
 * @property {string} key
 * @property {string} verdict published, rejected, refused or unknown
 * @property {string} [id]
 * @property {number} [revision]
 * @property {string} [replaces]
 * @property {number} items
 * @property {number} sum
 * @property {number} group
 * @property {number} count items of a cell
 * @property {number} price their average
 * @property {boolean} acknowledged whether any answer said that it is published
 *
 * @typedef {{ where: string, batch: string, verdict: string, withdrawnRevision?: number }} Withdrawal
 * @typedef {{ where: string, group: number, lanes: number, revision: number, count: number, sum: number | null,
 *   asOf?: number, copied?: boolean, batches?: [string, number][] }} Read
 * @typedef {{ where: string, told: number, kind: string, batches: { batch: string, change: string, lanes: number, items: number }[] }} Told
 * @typedef {{ keys: Map<string, Key>, withdrawals: Withdrawal[], reads: Read[], told: Told[] }} Ledgers
 * @typedef {(promise: string, text: string) => void} Find
 */

/**
 * @param {string} folder
 * @param {Find} find
 * @returns {Ledgers}
 */
export function readLedgers(folder, find) {
  /** @type {Ledgers} */
  const ledgers = { keys: new Map(), withdrawals: [], reads: [], told: [] };
  for (const name of readdirSync(folder).sort()) {
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .forEach((text, index) => {
        if (text === '') return;
        const where = `${name}:${index + 1}`;
        const entry = JSON.parse(text);
        if (entry.key !== undefined) addKey(ledgers.keys, { ...entry, where }, find);
        else if (entry.batch !== undefined) ledgers.withdrawals.push({ ...entry, where });
        else if (entry.told !== undefined) ledgers.told.push({ ...entry, where });
        else if (entry.revision !== undefined) ledgers.reads.push({ ...entry, where });
        else if (entry.answered < entry.least)
          find('forward', `${where}: revision ${entry.answered} where ${entry.least} was the least`);
      });
  }
  return ledgers;
}

/** @param {Map<string, Key>} keys @param {any} entry @param {Find} find */
function addKey(keys, entry, find) {
  const before = keys.get(entry.key);
  if (before?.acknowledged && entry.verdict !== 'unknown' && entry.id !== before.id)
    find(
      'once',
      `${entry.where}: key ${entry.key} is batch ${entry.id}, but was ${before.id} at ${before.where}`,
    );
  // What was acknowledged stays so, whatever became of a later try.
  if (before?.acknowledged && entry.verdict !== 'published') return;
  keys.set(entry.key, { ...entry, acknowledged: entry.verdict === 'published' });
}

/** What was published and acknowledged. @param {Ledgers['keys']} keys */
export const publishedIn = (keys) => [...keys.values()].filter(({ verdict }) => verdict === 'published');

/** The revision each batch went at that was withdrawn or replaced. @param {Pick<Ledgers, 'keys' | 'withdrawals'>} ledgers */
export function goneAt({ keys, withdrawals }) {
  /** @type {Map<string, number>} */
  const gone = new Map();
  for (const { batch, withdrawnRevision } of withdrawals)
    if (withdrawnRevision !== undefined) gone.set(batch, withdrawnRevision);
  for (const { replaces, revision } of publishedIn(keys))
    if (replaces !== undefined) gone.set(replaces, Number(revision));
  return gone;
}
