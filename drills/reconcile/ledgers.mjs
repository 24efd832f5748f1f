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
 * @typedef {{ where: string, group: number, lanes: number, revision: number, count: number, sum: number | null }} Read
 * @typedef {{ keys: Map<string, Key>, withdrawals: Withdrawal[], reads: Read[] }} Ledgers
 * @typedef {(promise: string, text: string) => void} Find
 */

/**
 * @param {string} folder
 * @param {Find} find
 * @returns {Ledgers}
 */
export function readLedgers(folder, find) {
  /** @type {Ledgers} */
  const ledgers = { keys: new Map(), withdrawals: [], reads: [] };
  for (const name of readdirSync(folder).sort()) {
    let newest = 0;
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .forEach((text, index) => {
        if (text === '') return;
        const where = `${name}:${index + 1}`;
        const entry = JSON.parse(text);
        if (entry.key !== undefined) addKey(ledgers.keys, { ...entry, where }, find);
        else if (entry.batch !== undefined) ledgers.withdrawals.push({ ...entry, where });
        else if (entry.revision !== undefined) {
          if (entry.revision < newest)
            find('forward', `${where}: revision ${entry.revision} after an answer of ${newest}`);
          newest = Math.max(newest, entry.revision);
          ledgers.reads.push({ ...entry, where });
        }
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
