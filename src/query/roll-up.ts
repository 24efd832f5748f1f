/**
 * Rolling up: brings the rollups from the revision they stand for to the newest one, in one transaction. What was
 * published since is added, what was withdrawn since is taken away; the batches before are not looked at again.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { restsBetween, type Pace } from '../pace.js';
import { addPayload, packDays } from './rollup/days.js';
import { treeAt } from './rollup/regions/tree.js';
import { rebuildRegions, RegionWriter } from './rollup/regions/write.js';
import { Months, type Month } from './rollup/months.js';
import type { Pair } from './rollup/regions/pairs.js';
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

/** All rests of one roll-up, in milliseconds: a transaction is open meanwhile, and questions take more work. */
const longestRests = 30_000;

/** Rests where there is a pace. Undefined where another process rolls up just now, or there is nothing to do. */
export async function rollUp(database: Database, emit: Emit, pace?: Pace): Promise<RolledUp | undefined> {
  const begun = performance.now();
  const rest = restsBetween(pace, longestRests);
  const result = await database.transaction(async (client) => {
    if (!(await lockRollups(client))) return undefined;
    const revisions = await rollupRevisions(client);
    if (revisions.rolled === revisions.newest) return undefined;
    const { added, removed } = await changedAttempts(client, revisions);
    const places = await treeAt(client, revisions.newest, revisions.places_revision);
    const sameTree = Number(revisions.rolled_places ?? -1) === places.revision;
    const regions = sameTree ? new RegionWriter(client, places, rest) : undefined;
    const rows = await applyChanges(client, { added, removed, origins: places.codes() }, regions, rest);
    if (!sameTree) await rebuildRegions(client, places);
    await moveRollups(client, revisions.newest, places.revision);
    return { revision: Number(revisions.newest), batches: added.length + removed.length, rows };
  });
  if (result) emit({ kind: 'rolled-up', ...result, milliseconds: performance.now() - begun });
  return result;
}

/** Months that are gathered before they are written: a millisecond's work, for whoever reads meanwhile waits for it. */
const monthsAtOnce = 200;

async function applyChanges(
  client: ClientBase,
  changes: Parameters<typeof changedSegments>[1],
  regions: RegionWriter | undefined,
  rest: () => Promise<void>,
): Promise<number> {
  if (changes.added.length + changes.removed.length === 0) return 0;
  let rows = 0;
  let lane = -1;
  const months = new Months();
  const ports = new Map<number, Pair>();
  const write = async (): Promise<void> => {
    const gathered = months.all();
    // What came, before it is added to what was there.
    await regions?.add(gathered, ports);
    rows += await writeMonths(client, gathered);
    months.clear();
    ports.clear();
    await rest();
  };
  for await (const segment of changedSegments(client, changes)) {
    // Segments come lane by lane, so a month that was written is not met again.
    if (segment.lane !== lane && months.size >= monthsAtOnce) await write();
    lane = segment.lane;
    ports.set(lane, segment);
    months.add(segment, segment.change);
  }
  await write();
  await regions?.finish();
  return rows;
}

async function writeMonths(client: ClientBase, gathered: readonly Month[]): Promise<number> {
  if (gathered.length === 0) return 0;
  const lanes = gathered.map(({ lane }) => lane);
  const months = gathered.map(({ month }) => month);
  for (const { place, payload } of await rollupsOf(client, lanes, months)) {
    const month = gathered[place - 1];
    if (month) addPayload(month.days, payload);
  }
  await saveRollups(
    client,
    lanes,
    months,
    gathered.map(({ days }) => packDays(days)),
  );
  return gathered.length;
}
