/**
 * Rolling up: brings the rollups from the revision they stand for to the newest one, in one transaction. What was
 * published since is added, what was withdrawn since is taken away; the batches before are not looked at again.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { daysOfMonth, firstDayOf, packRollup, rollupMonth, unpackRollup } from '../rollup.js';
import { unpackItems } from '../segment.js';
import {
  changedAttempts,
  changedSegments,
  lockRollups,
  moveRollups,
  rollupsOf,
  rollupRevisions,
  saveRollups,
  type ChangedSegment,
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
    const rows = await applyChanges(client, added, removed);
    await moveRollups(client, revisions.newest);
    return { revision: Number(revisions.newest), batches: added.length + removed.length, rows };
  });
  if (result) emit({ kind: 'rolled-up', ...result, milliseconds: performance.now() - begun });
  return result;
}

/** Counts and sums of one lane and month. */
interface Month {
  lane: number;
  month: number;
  counts: Float64Array;
  sums: Float64Array;
}

/** Months that are gathered before they are written: about 10 MB. */
const monthsAtOnce = 20_000;

async function applyChanges(client: ClientBase, added: string[], removed: string[]): Promise<number> {
  if (added.length + removed.length === 0) return 0;
  let rows = 0;
  let months = new Map<number, Month>();
  let lane = -1;
  for await (const segment of changedSegments(client, added, removed)) {
    // Segments come lane by lane, so a month that was written is not met again.
    if (segment.lane !== lane && months.size >= monthsAtOnce) {
      rows += await writeMonths(client, [...months.values()]);
      months = new Map();
    }
    lane = segment.lane;
    addSegment(months, segment);
  }
  return rows + (await writeMonths(client, [...months.values()]));
}

function addSegment(
  months: Map<number, Month>,
  { lane, first_day, format, payload, change }: ChangedSegment,
): void {
  let current: Month | undefined;
  let start = 0;
  let end = 0;
  unpackItems(format, payload, (offset, price) => {
    const day = first_day + offset;
    if (current === undefined || day >= end) {
      const month = rollupMonth(day);
      start = firstDayOf(month);
      end = firstDayOf(month + 1);
      current = monthIn(months, lane, month);
    }
    const index = day - start;
    current.counts[index] = (current.counts[index] ?? 0) + change;
    current.sums[index] = (current.sums[index] ?? 0) + change * price;
  });
}

function monthIn(months: Map<number, Month>, lane: number, month: number): Month {
  const key = lane * 4_096 + month;
  let found = months.get(key);
  if (!found) {
    found = { lane, month, counts: new Float64Array(daysOfMonth), sums: new Float64Array(daysOfMonth) };
    months.set(key, found);
  }
  return found;
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
  const packed = months.map(({ counts, sums }) => packRollup(counts, sums) ?? null);
  await saveRollups(
    client,
    months.map(({ lane }) => lane),
    months.map(({ month }) => month),
    packed,
  );
  return months.length;
}
