/**
 * Rollups beside what the items come to: in go the tables, out come the lane-months where the two differ. Lane by
 * lane, so memory stays flat; all at the revision the rollups stand for, where what is visible never changes again.
 */
import type { ClientBase } from 'pg';
import { packDays } from './days.js';
import { Months } from './months.js';
import { lanesUpTo, rollupsOfLanes, segmentsOfLanes } from './sql.js';

export interface Difference {
  lane: number;
  /** Since 1970-01. */
  month: number;
  /** As it lies there; null where there is none. */
  rolled: Buffer | null;
  /** As the items have it. */
  items: Buffer | null;
}

export interface Compared {
  lanes: number;
  segments: number;
  items: number;
  rollups: number;
}

export interface Comparing {
  revision: string;
  /** Called for each stretch of lanes that has any. */
  onDifferences: (differences: Difference[]) => Promise<void> | void;
  onProgress?: (lanesDone: number, lanes: number) => void;
}

/** Lanes looked at together: some megabytes of segments where a lane has ten thousand items. */
const lanesAtOnce = 200;

/** In the transaction the client is in. */
export async function compareRollups(
  client: ClientBase,
  { revision, onDifferences, onProgress }: Comparing,
): Promise<Compared> {
  const lanes = await lanesUpTo(client);
  const compared: Compared = { lanes, segments: 0, items: 0, rollups: 0 };
  const months = new Months();
  for (let after = 0; after < lanes; after += lanesAtOnce) {
    const stretch = { after, upTo: Math.min(after + lanesAtOnce, lanes) };
    const segments = await segmentsOfLanes(client, stretch, revision);
    for (const segment of segments) compared.items += months.add(segment, 1);
    const rollups = await rollupsOfLanes(client, stretch);
    compared.segments += segments.length;
    compared.rollups += rollups.length;
    const differences: Difference[] = [];
    for (const { lane, month, payload } of rollups) {
      const found = months.find(lane, month);
      const items = found ? packDays(found.days) : null;
      if (found) months.forget(found);
      if (!items?.equals(payload)) differences.push({ lane, month, rolled: payload, items });
    }
    for (const { lane, month, days } of months.all())
      differences.push({ lane, month, rolled: null, items: packDays(days) });
    months.clear();
    if (differences.length > 0) await onDifferences(differences);
    onProgress?.(stretch.upTo, lanes);
  }
  return compared;
}
