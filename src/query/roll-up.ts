/**
 * Rolling up: brings the rollups from the revision they stand for to the newest one, in one transaction. What was
 * published since is added, what was withdrawn since is taken away; the batches before are not looked at again.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { unpackRollup } from '../rollup.js';
import { treeAt } from './rollup/regions/tree.js';
import { rebuildRegions, RegionWriter } from './rollup/regions/write.js';
import { addSegment, packMonth, type Month, type Months } from './rollup/months.js';
import {
  changedAttempts,
  changedSegments,
  lockRollups,
  moveRollups,
  rollupsOf,
  rollupRevisions,
  saveRollups,
} from './rollup/sql.js';

export interface RolledUp {
  /** Revision the rollups stand for now. */
  revision: number;
  batches: number;
  rows: number;
}

/** Undefined where another process rolls up just now, or there is nothing to do. */
export async function rollUp(database: Database, emit: Emit): Promise<RolledUp | undefined> {
  const begun = performance.now();
  const result = await database.transaction(async (client) => {
    if (!(await lockRollups(client))) return undefined;
    const revisions = await rollupRevisions(client);
    if (revisions.rolled === revisions.newest) return undefined;
    const { added, removed } = await changedAttempts(client, revisions);
    const places = await treeAt(client, revisions.newest, revisions.places_revision);
    const sameTree = Number(revisions.rolled_places ?? -1) === places.revision;
    const regions = sameTree ? new RegionWriter(client, places) : undefined;
    const rows = await applyChanges(client, { added, removed }, regions);
    if (!sameTree) await rebuildRegions(client, places);
    await moveRollups(client, revisions.newest, places.revision);
    return { revision: Number(revisions.newest), batches: added.length + removed.length, rows };
  });
  if (result) emit({ kind: 'rolled-up', ...result, milliseconds: performance.now() - begun });
  return result;
}

/** Months that are gathered before they are written: about 3 MB, and 1 MB of statement. */
const monthsAtOnce = 5_000;

async function applyChanges(
  client: ClientBase,
  { added, removed }: { added: string[]; removed: string[] },
  regions: RegionWriter | undefined,
): Promise<number> {
  if (added.length + removed.length === 0) return 0;
  let rows = 0;
  let months: Months = new Map();
  let lane = -1;
  const write = async (): Promise<void> => {
    // What came, before it is added to what was there.
    await regions?.add([...months.values()]);
    rows += await writeMonths(client, [...months.values()]);
    months = new Map();
  };
  for await (const segment of changedSegments(client, added, removed)) {
    // Segments come lane by lane, so a month that was written is not met again.
    if (segment.lane !== lane && months.size >= monthsAtOnce) await write();
    lane = segment.lane;
    addSegment(months, segment, segment.change);
  }
  await write();
  await regions?.finish();
  return rows;
}

async function writeMonths(client: ClientBase, months: Month[]): Promise<number> {
  if (months.length === 0) return 0;
  const before = await rollupsOf(
    client,
    months.map(({ lane }) => lane),
    months.map(({ month }) => month),
  );
  for (const { place, payload } of before) {
    const month = months[place - 1];
    if (!month) continue;
    unpackRollup(payload, (day, count, sum) => {
      month.counts[day] = (month.counts[day] ?? 0) + count;
      month.sums[day] = (month.sums[day] ?? 0) + sum;
    });
  }
  const packed = months.map(packMonth);
  await saveRollups(
    client,
    months.map(({ lane }) => lane),
    months.map(({ month }) => month),
    packed,
  );
  return months.length;
}
