// Answers: each is what the acknowledged batches visible at its revision add up to, to the last item.

/** @param {import('./ledgers.mjs').Ledgers} ledgers @param {import('./ledgers.mjs').Find} find */
export function compareAnswers({ keys, withdrawals, reads }, find) {
  /** @type {Map<string, number>} */
  const gone = new Map();
  for (const { batch, withdrawnRevision } of withdrawals)
    if (withdrawnRevision !== undefined) gone.set(batch, withdrawnRevision);
  const published = [...keys.values()].filter(({ verdict }) => verdict === 'published');
  for (const { replaces, revision } of published)
    if (replaces !== undefined) gone.set(replaces, Number(revision));
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
  for (const { where, group, lanes, revision, count, sum } of reads) {
    // Whoever was never told may be there or not.
    if (unknown.has(group)) continue;
    compared++;
    const cell = stateAt(states.get(group) ?? [], revision);
    const wrong = count !== cell.count * lanes || (sum !== null && sum !== cell.sum * lanes);
    if (wrong)
      find(
        'whole',
        `${where}: at revision ${revision} group ${group} has ${cell.count * lanes} items of sum ${cell.sum * lanes} a day over ${lanes} lanes, but the answer ${count} of ${sum}`,
      );
  }
  return { answersCompared: compared };
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
