// Answers: each is what the acknowledged batches visible at its revision add up to, to the last item.

import { goneAt, publishedIn } from './ledgers.mjs';

/** @param {import('./ledgers.mjs').Ledgers} ledgers @param {import('./ledgers.mjs').Find} find */
export function compareAnswers({ keys, withdrawals, reads }, find) {
  const gone = goneAt({ keys, withdrawals });
  const published = publishedIn(keys);
  /** What happens to a cell of a group, by revision. @type {Map<number, { revision: number, count: number, sum: number }[]>} */
  const changes = new Map();
  const add = (/** @type {number} */ group, /** @type {any} */ change) =>
    changes.set(group, [...(changes.get(group) ?? []), change]);
  for (const { id, group, count, price, revision } of published) {
    add(group, { revision, count, sum: count * price });
    const end = gone.get(String(id));
    if (end !== undefined) add(group, { revision: end, count: -count, sum: -count * price });
  }
  const unknown = new Set(
    [...keys.values()].filter(({ verdict }) => verdict === 'unknown').map(({ group }) => group),
  );
  for (const list of changes.values()) list.sort((a, b) => a.revision - b.revision);
  const states = new Map([...changes].map(([group, list]) => [group, sumsOf(list)]));
  let compared = 0;
  for (const read of reads) {
    const { where, group, lanes, revision, count, sum } = read;
    // Whoever was never told may be there or not.
    if (unknown.has(group)) continue;
    compared++;
    const cell = stateAt(states.get(group) ?? [], revision);
    const wrong = count !== cell.count * lanes || (sum !== null && sum !== cell.sum * lanes);
    if (wrong)
      find(
        promiseOf(read),
        `${where}: at revision ${revision} group ${group} has ${cell.count * lanes} items of sum ${cell.sum * lanes} a day over ${lanes} lanes, but the answer ${count} of ${sum}`,
      );
    else compareSources(read, published, gone, find);
  }
  return { answersCompared: compared };
}

/** @param {import('./ledgers.mjs').Read} read */
const promiseOf = ({ asOf, copied }) => (asOf === undefined && !copied ? 'whole' : 'past');

/** The batches that were told to stand behind a day are those visible at the revision. @param {import('./ledgers.mjs').Read} read @param {import('./ledgers.mjs').Key[]} published @param {Map<string, number>} gone @param {import('./ledgers.mjs').Find} find */
function compareSources(read, published, gone, find) {
  const { where, group, lanes, revision, batches } = read;
  if (batches === undefined) return;
  const visible = published
    .filter((key) => key.group === group && Number(key.revision) <= revision)
    .filter(({ id }) => (gone.get(String(id)) ?? Infinity) > revision)
    .map(({ id, count }) => `${id}: ${count * lanes}`);
  const told = batches.map(([batch, items]) => `${batch}: ${items}`);
  const [wanted, found] = [visible, told].map((list) => list.sort().join());
  if (wanted !== found)
    find(
      promiseOf(read),
      `${where}: at revision ${revision} batches ${wanted} are there, but ${found} were told`,
    );
}

/** Running sums. @param {{ revision: number, count: number, sum: number }[]} list */
function sumsOf(list) {
  let [count, sum] = [0, 0];
  return list.map((change) => ({
    revision: change.revision,
    count: (count += change.count),
    sum: (sum += change.sum),
  }));
}

/** @param {{ revision: number, count: number, sum: number }[]} states @param {number} revision */
function stateAt(states, revision) {
  let [low, high] = [0, states.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((states[middle]?.revision ?? 0) <= revision) low = middle + 1;
    else high = middle;
  }
  return states[low - 1] ?? { count: 0, sum: 0 };
}
