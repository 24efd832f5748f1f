/**
 * Verifying: everything that questions are answered from, recomputed from the items and compared, in one snapshot. In
 * goes a database, out comes what is not as it should be.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import { formatDay } from '../days.js';
import { firstDayOf, unpackRollup } from '../rollup.js';
import { compareRegions } from './rollup/regions/compare.js';
import { treeAt } from './rollup/regions/tree.js';
import { compareRollups, type Compared, type Comparing, type Difference } from './rollup/compare.js';
import {
  batchesThatDiffer,
  laneNames,
  readInOneSnapshot,
  rollupRevisions,
  revisionsNow,
} from './rollup/sql.js';

export interface Verified extends Compared {
  /** The newest revision, and the one that the rollups stand for. */
  revision: number;
  rolled: number;
  batches: number;
  faultTotal: number;
  /** The first 100, in words. */
  faults: string[];
}

const mostFaults = 100;

/** Writes nothing, locks nothing; other work goes on. */
export const verify = (database: Database, onProgress?: Comparing['onProgress']): Promise<Verified> =>
  database.transaction(async (client) => {
    await readInOneSnapshot(client);
    const faults: string[] = [];
    let faultTotal = 0;
    const say = (fault: string): void => {
      faultTotal++;
      if (faults.length < mostFaults) faults.push(fault);
    };
    const { rolled, newest, rolled_places } = await rollupRevisions(client);
    const batches = await verifyBatches(client, say);
    await verifyRevisions(client, rolled, newest, say);
    const compared = await compareRollups(client, {
      revision: rolled,
      ...(onProgress ? { onProgress } : {}),
      onDifferences: async (differences) => {
        const names = await laneNames(
          client,
          differences.map(({ lane }) => lane),
        );
        for (const difference of differences) say(describe(difference, names.get(difference.lane)));
      },
    });
    await verifyRegions(client, rolled, rolled_places, say);
    return { ...compared, revision: Number(newest), rolled: Number(rolled), batches, faultTotal, faults };
  });

async function verifyBatches(client: ClientBase, say: (fault: string) => void): Promise<number> {
  const { published, differing } = await batchesThatDiffer(client);
  for (const { id, items, in_parts, in_segments } of differing)
    say(
      `batch ${id} was published with ${items} items; its parts say ${in_parts}, its segments hold ${in_segments}`,
    );
  return published;
}

async function verifyRevisions(
  client: ClientBase,
  rolled: string,
  newest: string,
  say: (fault: string) => void,
): Promise<void> {
  const { last, count, beyond } = await revisionsNow(client);
  if (last !== newest) say(`the head is at revision ${newest}, but the last one made is ${last}`);
  if (count > Number(newest)) say(`there are ${count} revisions up to ${newest}`);
  if (Number(rolled) > Number(newest))
    say(`rollups stand for revision ${rolled}, beyond the head at ${newest}`);
  if (beyond > 0) say(`${beyond} batches were published or withdrawn beyond the head`);
}

/** Those that were never made are missed by nobody: lanes are read in their place. */
async function verifyRegions(
  client: ClientBase,
  rolled: string,
  tree: string | null,
  say: (fault: string) => void,
): Promise<void> {
  if (tree === null) return;
  await compareRegions(client, await treeAt(client, rolled, tree), (differences) => {
    for (const { origin, destination, month, rolled, lanes } of differences)
      say(
        `between ${origin} and ${destination}, ${monthText(month)}: rolled up ${totals(rolled)}, the lanes come to ${totals(lanes)}`,
      );
  });
}

function describe({ lane, month, rolled, items }: Difference, name = `lane ${lane}`): string {
  const where = `${name}, ${monthText(month)}`;
  if (!rolled) return `${where}: there is no rollup; the items come to ${totals(items)}`;
  if (!items) return `${where}: rolled up ${totals(rolled)}, but there are no items`;
  return `${where}: rolled up ${totals(rolled)}, the items come to ${totals(items)}`;
}

const monthText = (month: number): string => formatDay(firstDayOf(month)).slice(0, 7);

function totals(payload: Buffer | null): string {
  let items = 0;
  let total = 0;
  if (payload)
    unpackRollup(payload, (_day, count, sum) => {
      items += count;
      total += sum;
    });
  return `${items} items, ${total} in all`;
}
