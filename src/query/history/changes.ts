/**
 * Rates that moved between two revisions, for those who keep a copy: in go the revisions, out come lanes and days with
 * what the later one says. Read a few lanes at a time, each time in a statement of its own: what happened up to a
 * revision never changes again, so no transaction stays open while a reader is slow.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ReadOptions } from '../../database/database.js';
import { rollupMonth } from '../../rollup.js';
import { unpackItems } from '../../segment.js';
import { atRevision, checkKept, checkReached } from '../at-revision.js';
import { fewestItems } from '../fewest-items.js';
import type { RatesSource } from '../rates.js';
import { addUp } from '../totals.js';
import { changedSegments, type ChangedRow } from './sql.js';

export interface ChangesQuestion {
  since: number;
  /** Undefined for the newest. */
  until: number | undefined;
  /** Lanes up to this number are done. */
  afterLane: number;
}

export interface RateChange {
  origin: string;
  destination: string;
  /** Since 1970-01-01. */
  day: number;
  /** At the later revision. */
  count: number;
  sum: number;
}

export interface LaneChanges {
  changes: RateChange[];
  /** The later revision. */
  until: number;
  /** The last lane that was looked at; undefined where it was the last of all. */
  lastLane: number | undefined;
}

/** Lanes that are held in memory at a time. */
const lanesAtOnce = 32;

/**
 * The changes of the next lanes that have any. Throws `revision_gone` where `since` lies before what is kept; 0, where
 * nothing was there yet, never does.
 */
export const changesBetween = (
  source: RatesSource,
  question: ChangesQuestion,
  options: ReadOptions,
): Promise<LaneChanges> => atRevision(source, options, (node) => readChanges(node, question, options));

async function readChanges(
  node: RatesSource,
  { since, until: wanted, afterLane }: ChangesQuestion,
  options: ReadOptions,
): Promise<LaneChanges> {
  const statement = changedSegments(since, wanted ?? null, afterLane, lanesAtOnce);
  const [head, ...rows] = await node.database.read<ChangedRow>(statement, options);
  const newest = Number(head?.newest ?? 0);
  const oldest = Number(head?.oldest_revision ?? 0);
  checkReached(newest, { since, until: wanted });
  checkKept(since === 0 ? undefined : since, oldest);
  const until = wanted ?? newest;
  checkKept(until, oldest);
  const lanes = await movesByLane(rows);
  const changes = await Promise.all(lanes.map((lane) => changesOf(node, lane, until, options)));
  return {
    changes: changes.flat(),
    until,
    lastLane: lanes.length < lanesAtOnce ? undefined : lanes.at(-1)?.lane,
  };
}

interface LaneMoves {
  lane: number;
  origin: string;
  destination: string;
  /** By day: how much the count and the sum moved. */
  days: Map<number, { count: number; sum: number }>;
}

/** Bytes of segments that are added up before other requests get their turn: about a millisecond's work. */
const bytesPerTurn = 1 << 18;

/** By number of the lane. */
async function movesByLane(rows: readonly ChangedRow[]): Promise<LaneMoves[]> {
  let bytes = 0;
  const lanes = new Map<number, LaneMoves>();
  for (const { lane, orig_code: origin, dest_code: destination, ...segment } of rows) {
    if (lane === null) continue;
    let moves = lanes.get(lane);
    if (!moves) lanes.set(lane, (moves = { lane, origin, destination, days: new Map() }));
    const { days } = moves;
    unpackItems(segment.format, segment.payload, (offset, price) => {
      const day = segment.first_day + offset;
      let move = days.get(day);
      if (!move) days.set(day, (move = { count: 0, sum: 0 }));
      move.count += segment.change;
      move.sum += segment.change * price;
    });
    bytes += segment.payload.length;
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await nextTurn();
  }
  return [...lanes.values()].sort((a, b) => a.lane - b.lane);
}

async function changesOf(
  { lanes }: RatesSource,
  { origin, destination, days }: LaneMoves,
  until: number,
  options: ReadOptions,
): Promise<RateChange[]> {
  const moved = [...days].filter(([, { count, sum }]) => count !== 0 || sum !== 0).sort(([a], [b]) => a - b);
  const [from, to] = [moved[0]?.[0], moved.at(-1)?.[0]];
  if (from === undefined || to === undefined) return [];
  const range = { from, to, fromMonth: rollupMonth(from), toMonth: rollupMonth(to) };
  const totals = await lanes.read({ origin, destination, ...range }, options, until);
  checkReached(totals.revision, { until });
  checkKept(until, totals.oldest);
  const { counts, sums } = await addUp(totals.rows, range);
  return moved.flatMap(([day, move]) => {
    const [count, sum] = [counts[day - from] ?? 0, sums[day - from] ?? 0];
    // Below three items nothing but the count is told, so a sum that moved alone must not show either.
    if (move.count === 0 && count < fewestItems) return [];
    return [{ origin, destination, day, count, sum }];
  });
}
