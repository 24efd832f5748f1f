/** Which batches stand behind a lane's days: in go two places and days, out come the items and sums of each batch. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, ReadOptions } from '../../database/database.js';
import { FairwayError } from '../../errors.js';
import { unpackItems } from '../../segment.js';
import type { PlaceSource } from '../place-source.js';
import type { Places } from '../places.js';
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

/** Batches behind the days from `from` to `to` (since 1970-01-01, both included), by number. `batch`: only this one. */
export async function sourcesOf(
  database: Database,
  { origins, destinations }: SourceLanes,
  { from, to }: { from: number; to: number },
  batch: string | null,
  options: ReadOptions,
): Promise<DaySources & { placesRevision: number }> {
  const rows = await database.read<SourceRow>(
    segmentsWithBatches(origins, destinations, from, to, batch),
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

/** Batches behind one day between two places, each a port or a region. Throws `place_unknown` with near matches. */
export async function sourcesBetween(
  database: Database,
  source: PlaceSource,
  { origin, destination, day }: { origin: string; destination: string; day: number },
  options: ReadOptions,
): Promise<DaySources> {
  let { places } = await source.now(options);
  for (let tries = 0; tries < 5; tries++) {
    const lanes = {
      origins: portsOf(places, 'origin', origin),
      destinations: portsOf(places, 'destination', destination),
    };
    const { placesRevision, ...found } = await sourcesOf(
      database,
      lanes,
      { from: day, to: day },
      null,
      options,
    );
    if (placesRevision === places.revision) return found;
    // The places changed between the tree and the snapshot: once more, with the tree of now.
    places = await source.atLeast(placesRevision, options);
  }
  throw new FairwayError('overloaded', 'ports and regions are changing just now; try again in a moment');
}

function portsOf(places: Places, parameter: string, name: string): readonly string[] {
  const ports = places.portsOf(name);
  if (ports) return ports;
  const suggestions = places.near(name);
  const message = `there is no port or region '${name}'`;
  const names = suggestions.map((place) => `${place.code} (${place.name})`).join(', ');
  throw new FairwayError('place_unknown', names === '' ? message : `${message}; did you mean ${names}?`, {
    faults: [
      {
        parameter,
        message,
        expected: 'the code of a port or the slug of a region; /ports and /regions list them',
        value: name,
        suggestions,
      },
    ],
  });
}
