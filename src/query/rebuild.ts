/**
 * Rebuilding: makes the rollups what the items come to, at the revision they stand for; then they are rolled up as
 * ever. In go rollups in whatever state, even none; only those that are wrong are written.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { rollUp } from './roll-up.js';
import { compareRollups, type Comparing } from './rollup/compare.js';
import { compareRegions } from './rollup/regions/compare.js';
import { savePairs } from './rollup/regions/sql.js';
import { treeAt } from './rollup/regions/tree.js';
import { rollupRevisions, saveRollups, waitForRollups } from './rollup/sql.js';

export interface Rebuilt {
  /** Revision the rollups stand for now. */
  revision: number;
  rollups: number;
  /** How many were missing, wrong, or too many. */
  mended: number;
}

/** Where none were made yet, rolling up makes them. */
async function mendRegions(client: ClientBase, revision: string, tree: string | null): Promise<number> {
  if (tree === null) return 0;
  let mended = 0;
  const places = await treeAt(client, revision, tree);
  await compareRegions(client, places, async (differences) => {
    mended += differences.length;
    await savePairs(
      client,
      differences,
      differences.map(({ lanes }) => lanes),
    );
  });
  return mended;
}

/** Questions are answered all the while, from what was there before. Throws what the database throws, with nothing changed. */
export async function rebuildRollups(
  database: Database,
  emit: Emit,
  onProgress: Comparing['onProgress'],
): Promise<Rebuilt> {
  const rebuilt = await database.transaction(async (client) => {
    await waitForRollups(client);
    const { rolled: revision, rolled_places: tree } = await rollupRevisions(client);
    let mended = 0;
    let rollups = 0;
    const compared = await compareRollups(client, {
      revision,
      ...(onProgress ? { onProgress } : {}),
      onDifferences: async (differences) => {
        await saveRollups(
          client,
          differences.map(({ lane }) => lane),
          differences.map(({ month }) => month),
          differences.map(({ items }) => items),
        );
        mended += differences.length;
        rollups += differences.reduce(
          (sum, { rolled, items }) => sum + (items ? 1 : 0) - (rolled ? 1 : 0),
          0,
        );
      },
    });
    mended += await mendRegions(client, revision, tree);
    return { revision: Number(revision), rollups: rollups + compared.rollups, mended };
  });
  const rolledUp = await rollUp(database, emit);
  return { ...rebuilt, revision: rolledUp?.revision ?? rebuilt.revision };
}
