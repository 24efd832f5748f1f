// What GET /revisions told: each revision changed what was acknowledged for it.
import { goneAt, publishedIn } from './ledgers.mjs';

/** Of every batch. */
const lanes = 12;

/** @param {import('./ledgers.mjs').Ledgers} ledgers @param {import('./ledgers.mjs').Find} find */
export function compareHistory({ keys, withdrawals, told }, find) {
  const published = publishedIn(keys);
  const itemsOf = new Map(published.map(({ id, items }) => [String(id), items]));
  /** @type {Map<number, string[]>} */
  const changes = new Map();
  const add = (/** @type {number} */ revision, /** @type {string} */ change, /** @type {string} */ batch) =>
    changes.set(revision, [
      ...(changes.get(revision) ?? []),
      wordsOf(change, batch, lanes, itemsOf.get(batch)),
    ]);
  for (const { id, revision } of published) add(Number(revision), 'came', String(id));
  for (const [batch, revision] of goneAt({ keys, withdrawals })) add(revision, 'went', batch);
  // Whoever was never told may have made a revision or not.
  const unknown =
    [...keys.values()].some(({ verdict }) => verdict === 'unknown') ||
    withdrawals.some(({ verdict }) => verdict === 'unknown');
  for (const { where, told: revision, kind, batches } of told) {
    const wanted = changes.get(revision) ?? [];
    if (wanted.length === 0 && unknown) continue;
    const found = batches.map(({ batch, change, lanes, items }) => wordsOf(change, batch, lanes, items));
    if (wanted.sort().join() !== found.sort().join() || (kind === 'places') !== (wanted.length === 0))
      find(
        'past',
        `${where}: revision ${revision} (${kind}) is told as ${found.join()}, but was ${wanted.join()}`,
      );
  }
  return { revisionsCompared: told.length };
}

/** @param {string} change @param {string} batch @param {number} lanes @param {number | undefined} items */
const wordsOf = (change, batch, lanes, items) => `batch ${batch} ${change} (${items} items, ${lanes} lanes)`;
