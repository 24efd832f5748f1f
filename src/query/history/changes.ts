/**
 * Rates that moved between two revisions, for those who keep a copy: in go the revisions, out come lanes and days with
 * what the later one says. Read a few lanes at a time, each time in a statement of its own: what happened up to a
 * revision never changes again, so no transaction stays open while a reader is slow.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { rollupMonth } from '../../rollup.js';
import { unpackItems } from '../../segment.js';
import { atRevision, checkKept, checkReached } from '../at-revision.js';
import { chargePrices, type AskOptions } from '../cost.js';
import { fewestItems } from '../fewest-items.js';
import type { RatesSource } from '../rates.js';
import { addUp } from '../totals.js';
import { changedItems, changedSegments, type ChangedItemsRow, type ChangedRow } from './sql.js';

export interface ChangesQuestion {
  since: number;
  /** Undefined for the newest. */
  until: number | undefined;
  /** Lanes up to this number are done. */
  afterLane: number;
}

/** The changes of a lane, by day; numbers in lists of their own, since there may be millions. */
export interface LaneChanges {
  origin: string;
  destination: string;
  /** Since 1970-01-01. */
  days: number[];
  /** At the later revision. */
  counts: number[];
  sums: number[];
}

export interface ChangesPage {
  lanes: LaneChanges[];
  /** The later revision. */
  until: number;
  /** The last lane that was looked at; undefined where it was the last of all. */
  lastLane: number | undefined;
}

/** Lanes that are held in memory at a time. */
const lanesAtOnce = 32;

/**
 * Has the changes paid for by the prices that are read for them, by the counts of their batches: all of them where
 * `whole`, else a read's share. Throws `budget_spent`.
 */
export async function payForChanges(
  { database }: RatesSource,
  { since, until }: Pick<ChangesQuestion, 'since' | 'until'>,
  whole: boolean,
  options: AskOptions,
): Promise<void> {
  const [row] = await database.read<ChangedItemsRow>(changedItems(since, until ?? null), options);
  const share = whole ? 1 : Math.min(1, lanesAtOnce / Math.max(1, row?.lanes ?? 0));
  chargePrices(Number(row?.items ?? 0) * share, options);
}

/**
 * The changes of the next lanes that have any. Throws `revision_gone` where `since` lies before what is kept; 0, where
 * nothing was there yet, never does.
 */
export const changesBetween = (
  source: RatesSource,
  question: ChangesQuestion,
  options: AskOptions,
): Promise<ChangesPage> => atRevision(source, options, (node) => readChanges(node, question, options));

async function readChanges(
  node: RatesSource,
  { since, until: wanted, afterLane }: ChangesQuestion,
  options: AskOptions,
): Promise<ChangesPage> {
  const statement = changedSegments(since, wanted ?? null, afterLane, lanesAtOnce);
  const [head, ...rows] = await node.database.read<ChangedRow>(statement, options);
  const newest = Number(head?.newest ?? 0);
  const oldest = Number(head?.oldest_revision ?? 0);
  checkReached(newest, { since, until: wanted });
  checkKept(since === 0 ? undefined : since, oldest, newest);
  const until = wanted ?? newest;
  checkKept(until, oldest, newest);
  const moves = await movesByLane(rows);
  const lanes = await Promise.all(moves.map((lane) => changesOf(node, lane, until, options)));
  const lastLane = moves.length < lanesAtOnce ? undefined : moves.at(-1)?.lane;
  return { lanes: lanes.filter(({ days }) => days.length > 0), until, lastLane };
}

interface LaneMoves {
  lane: number;
  origin: string;
  destination: string;
  /** The days that its segments span. */
  from: number;
  to: number;
  segments: ChangedRow[];
  /** By day from `from`: how much the count and the sum moved. */
  counts: Float64Array;
  sums: Float64Array;
}

/** Bytes of segments that are added up before other requests get their turn: about a millisecond's work. */
const bytesPerTurn = 1 << 18;

/** By number of the lane. */
async function movesByLane(rows: readonly ChangedRow[]): Promise<LaneMoves[]> {
  const lanes = segmentsByLane(rows);
  let bytes = 0;
  for (const moves of lanes) {
    const length = moves.to - moves.from + 1;
    const [counts, sums] = [new Float64Array(length), new Float64Array(length)];
    for (const { first_day, format, payload, change } of moves.segments) {
      const shift = first_day - moves.from;
      unpackItems(format, payload, (offset, price) => {
        counts[shift + offset] = (counts[shift + offset] ?? 0) + change;
        sums[shift + offset] = (sums[shift + offset] ?? 0) + change * price;
      });
      bytes += payload.length;
    }
    Object.assign(moves, { counts, sums, segments: [] });
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await nextTurn();
  }
  return lanes;
}

function segmentsByLane(rows: readonly ChangedRow[]): LaneMoves[] {
  const lanes = new Map<number, LaneMoves>();
  const none = new Float64Array(0);
  for (const row of rows) {
    const { lane, orig_code: origin, dest_code: destination, first_day, last_day } = row;
    if (lane === null) continue;
    const known = lanes.get(lane);
    if (known) {
      known.from = Math.min(known.from, first_day);
      known.to = Math.max(known.to, last_day);
      known.segments.push(row);
    } else {
      const days = { from: first_day, to: last_day };
      lanes.set(lane, { lane, origin, destination, ...days, segments: [row], counts: none, sums: none });
    }
  }
  return [...lanes.values()].sort((a, b) => a.lane - b.lane);
}

async function changesOf(
  { lanes }: RatesSource,
  { origin, destination, from, to, counts: movedCounts, sums: movedSums }: LaneMoves,
  until: number,
  options: AskOptions,
): Promise<LaneChanges> {
  const changes: LaneChanges = { origin, destination, days: [], counts: [], sums: [] };
  if (!movedCounts.some((moved, index) => moved !== 0 || movedSums[index] !== 0)) return changes;
  const range = { from, to, fromMonth: rollupMonth(from), toMonth: rollupMonth(to) };
  const totals = await lanes.read({ origin, destination, ...range }, options, until);
  checkReached(totals.revision, { until });
  checkKept(until, totals.oldest, totals.revision);
  const { counts, sums } = await addUp(totals.rows, range);
  for (let index = 0; index < counts.length; index++) {
    const [count, moved] = [counts[index] ?? 0, movedCounts[index] ?? 0];
    if (moved === 0 && movedSums[index] === 0) continue;
    // Below three items nothing but the count is told, so a sum that moved alone must not show either.
    if (moved === 0 && count < fewestItems) continue;
    changes.days.push(from + index);
    changes.counts.push(count);
    changes.sums.push(sums[index] ?? 0);
  }
  return changes;
}
