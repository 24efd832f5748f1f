/** Which batches stand behind a lane's days: in go two places and days, out come the items and sums of each batch. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, ReadOptions } from '../../database/database.js';
import { unpackItems } from '../../segment.js';
import { atRevision, checkKept, checkReached } from '../at-revision.js';
import { chargeRows, rowsOfLanes, type AskOptions } from '../cost.js';
import { rollupMonth } from '../../rollup.js';
import { lanesOf, unknown, unknownEnds } from '../ends.js';
import { placesOfNode, type RatesQuestion, type RatesSource } from '../rates.js';
import { segmentsWithBatches, type SourceRow } from './sql.js';

/** Bytes of segments that are added up before other requests get their turn: about a millisecond's work. */
const bytesPerTurn = 1 << 18;

export interface SourceBatch {
  batch: string;
  /** Id of the API key it came with. */
  owner: string | null;
  key: string | null;
  publishedAt: Date;
  /** Counts and sums per day, from the first day asked for. */
  counts: Float64Array;
  sums: Float64Array;
}

export interface DaySources {
  revision: number;
  batches: SourceBatch[];
}

export interface SourceLanes {
  origins: readonly string[];
  destinations: readonly string[];
}

/** Batches behind the days from `from` to `to` (since 1970-01-01, both included), by number. `batch`: only this one. `asOf`: as it was at that revision. */
export async function sourcesOf(
  database: Database,
  { origins, destinations }: SourceLanes,
  { from, to }: { from: number; to: number },
  batch: string | null,
  asOf: number | null,
  options: ReadOptions,
): Promise<DaySources & { placesRevision: number; oldest: number }> {
  const rows = await database.read<SourceRow>(
    segmentsWithBatches(origins, destinations, from, to, batch, asOf),
    options,
  );
  const batches = new Map<string, SourceBatch>();
  let bytes = 0;
  for (const row of rows) {
    if (row.batch === null || row.published_at === null) continue;
    let totals = batches.get(row.batch);
    if (!totals) {
      const length = to - from + 1;
      totals = {
        batch: row.batch,
        owner: row.owner,
        key: row.key,
        publishedAt: row.published_at,
        counts: new Float64Array(length),
        sums: new Float64Array(length),
      };
      batches.set(row.batch, totals);
    }
    addSegment(totals, row.first_day - from, row);
    bytes += row.payload.length;
    if (bytes < bytesPerTurn) continue;
    bytes = 0;
    await nextTurn();
  }
  return {
    revision: Number(rows[0]?.revision ?? 0),
    placesRevision: Number(rows[0]?.places_revision ?? 0),
    oldest: Number(rows[0]?.oldest_revision ?? 0),
    batches: [...batches.values()].sort((a, b) => Number(a.batch) - Number(b.batch)),
  };
}

function addSegment({ counts, sums }: SourceBatch, shift: number, { format, payload }: SourceRow): void {
  unpackItems(format, payload, (dayOffset, price) => {
    const index = shift + dayOffset;
    if (index < 0 || index >= counts.length) return;
    counts[index] = (counts[index] ?? 0) + 1;
    sums[index] = (sums[index] ?? 0) + price;
  });
}

export interface SourcesQuestion extends Pick<RatesQuestion, 'asOf' | 'minRevision'> {
  /** Each a port or a region. */
  origin: string;
  destination: string;
  /** Since 1970-01-01. */
  day: number;
}

/** Batches behind one day between two places. Throws `place_unknown` with near matches, and as `ratesBetween` does. */
export const sourcesBetween = (
  source: RatesSource,
  question: SourcesQuestion,
  options: AskOptions,
): Promise<DaySources> => atRevision(source, options, (node) => readSources(node, question, options));

async function readSources(
  node: RatesSource,
  question: SourcesQuestion,
  options: AskOptions,
): Promise<DaySources> {
  const { database } = node;
  const { origin, destination, day, asOf, minRevision } = question;
  const tree = await placesOfNode(node, question, options);
  const ends = {
    origin: { place: origin, parameter: 'origin' },
    destination: { place: destination, parameter: 'destination' },
  };
  const faults = unknownEnds(tree.places, ends, asOf);
  if (faults.length > 0) throw unknown(faults, tree.revision);
  const lanes = lanesOf(tree.places, ends);
  const month = rollupMonth(day);
  const days = { from: day, to: day };
  chargeRows(rowsOfLanes(lanes, { ...days, fromMonth: month, toMonth: month }), options);
  const found = await sourcesOf(database, lanes, days, null, asOf ?? null, options);
  checkReached(found.revision, { min_revision: minRevision, as_of: asOf });
  checkKept(asOf, found.oldest, found.revision);
  const { placesRevision, batches, revision } = found;
  if (asOf !== undefined) return { batches, revision: asOf };
  if (placesRevision === tree.places.revision) return { batches, revision };
  // The places changed between the tree and the snapshot, whose revision has a tree that stays.
  const { charge: _, ...paid } = options;
  return readSources(node, { ...question, asOf: revision }, paid);
}
