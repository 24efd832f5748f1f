/** Rollups between places beside what the rollups of lanes come to: out come those that differ, a month at a time. */
import type { ClientBase } from 'pg';
import type { Places } from '../../places.js';
import type { Pair, PairMonth } from './pairs.js';
import { pairsByMonth } from './sql.js';
import { packed, regionsByMonth } from './write.js';

export interface PairDifference extends Pair {
  /** Since 1970-01. */
  month: number;
  /** As it lies there; null where there is none. */
  rolled: Buffer | null;
  /** As the rollups of lanes have it. */
  lanes: Buffer | null;
}

/** In the transaction the client is in; `places` is the tree they stand for. */
export async function compareRegions(
  client: ClientBase,
  places: Places,
  onDifferences: (differences: PairDifference[]) => Promise<void> | void,
): Promise<void> {
  const wanted = regionsByMonth(client, places);
  const there = pairsByMonth(client);
  let [left, right] = [await wanted.next(), await there.next()];
  while (!left.done || !right.done) {
    const month = Math.min(
      left.done ? Infinity : (left.value[0]?.month ?? Infinity),
      right.done ? Infinity : right.value.month,
    );
    const rolled = new Map<string, Buffer>();
    if (!right.done && right.value.month === month) {
      for (const { origin, destination, payload } of right.value.pairs)
        rolled.set(`${origin} ${destination}`, payload);
      right = await there.next();
    }
    const lanes = !left.done && left.value[0]?.month === month ? left.value : [];
    const differences = differencesOf(month, lanes, rolled);
    if (differences.length > 0) await onDifferences(differences);
    // The months are valid until the next ones are asked for.
    if (lanes.length > 0) left = await wanted.next();
  }
}

function differencesOf(
  month: number,
  wanted: readonly PairMonth[],
  rolled: Map<string, Buffer>,
): PairDifference[] {
  const differences: PairDifference[] = [];
  for (const pair of wanted) {
    const { origin, destination } = pair;
    const key = `${origin} ${destination}`;
    const lanes = packed(pair);
    const found = rolled.get(key) ?? null;
    rolled.delete(key);
    if (lanes === null ? found !== null : !found?.equals(lanes))
      differences.push({ origin, destination, month, rolled: found, lanes });
  }
  for (const [key, payload] of rolled) {
    const [origin = '', destination = ''] = key.split(' ');
    differences.push({ origin, destination, month, rolled: payload, lanes: null });
  }
  return differences;
}
