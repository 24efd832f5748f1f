/**
 * Lanes that are kept whole, in bounded memory: what the rollups have of a lane takes some kilobytes for ten years, and
 * whoever asks for one month of it soon asks for another. In go the months of a lane, out come those of a question,
 * until a revision touches the lane.
 */
import { LRUCache } from 'lru-cache';
import type { RatesQuestion } from '../rates.js';
import type { SummedRow } from '../sql.js';

/** Months of one lane, one after the other: the month since 1970-01 (two bytes), the length of its rollup (two), the rollup. */
interface KeptLane {
  /** The revision it was read at. */
  revision: number;
  months: Buffer;
}

const headerBytes = 4;
/** What an entry takes beside its bytes. */
const entryBytes = 400;

export class LaneStore {
  readonly #lanes: LRUCache<string, KeptLane>;

  constructor(maxBytes: number) {
    this.#lanes = new LRUCache<string, KeptLane>({
      maxSize: maxBytes,
      maxEntrySize: Math.ceil(maxBytes / 8),
      sizeCalculation: ({ months }, key) => months.length + key.length + entryBytes,
    });
  }

  /** What is kept of the lane from one month to another, and the revision it was read at; undefined where it is not kept. */
  get(
    key: string,
    { fromMonth, toMonth }: { fromMonth: number; toMonth: number },
  ): { revision: number; rows: SummedRow[] } | undefined {
    const kept = this.#lanes.get(key);
    if (!kept) return undefined;
    const { revision, months } = kept;
    const rows: SummedRow[] = [];
    for (let at = 0; at < months.length;) {
      const month = months.readUInt16BE(at);
      const start = at + headerBytes;
      at = start + months.readUInt16BE(at + 2);
      if (month >= fromMonth && month <= toMonth)
        rows.push({
          month,
          payload: months.subarray(start, at),
          change: null,
          first_day: null,
          format: null,
        });
    }
    return { revision, rows };
  }

  /** All that the rollups have of a lane, at a revision that they stand for. */
  set(key: string, revision: number, rows: readonly SummedRow[]): void {
    const bytes = rows.reduce((sum, { payload }) => sum + headerBytes + (payload?.length ?? 0), 0);
    // On its own: what is kept must not hold on to the memory of others.
    const months = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const { month, payload } of rows) {
      if (month === null || payload === null) continue;
      at = months.writeUInt16BE(month, at);
      at = months.writeUInt16BE(payload.length, at);
      at += payload.copy(months, at);
    }
    this.#lanes.set(key, { revision, months: months.subarray(0, at) });
  }

  /** A revision touched it. */
  drop(key: string, revision: number): void {
    const kept = this.#lanes.peek(key);
    if (kept && kept.revision < revision) this.#lanes.delete(key);
  }

  /** Any may have been touched up to the revision. */
  dropBefore(revision: number): void {
    const gone = [...this.#lanes.entries()].filter(([, kept]) => kept.revision < revision);
    for (const [key] of gone) this.#lanes.delete(key);
  }

  get size(): { lanes: number; bytes: number } {
    return { lanes: this.#lanes.size, bytes: this.#lanes.calculatedSize };
  }
}

export const keyOfLane = (origin: string, destination: string): string => `${origin}\0${destination}`;

/** The lane whose rollups are the answer to a question as of now; undefined where more is asked. */
export function laneAsked({ origin, destination, asOf, statistics }: RatesQuestion): string | undefined {
  if (asOf !== undefined || statistics !== undefined) return undefined;
  return 'port' in origin && 'port' in destination ? keyOfLane(origin.port, destination.port) : undefined;
}
