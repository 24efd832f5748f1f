/**
 * Rollups between places, kept: in go what lanes came to add up to, out come rows of region_rollups. In the transaction
 * that moves the rollups of lanes.
 */
import type { ClientBase } from 'pg';
import type { Places } from '../../places.js';
import { addPayload, DaysPool, packDays } from '../days.js';
import type { Month } from '../months.js';
import { PairMonths, type Pair, type PairMonth } from './pairs.js';
import { deletePairs, pairsThere, rollupsByMonth, savePairs } from './sql.js';

/** Pairs and months that are gathered at the most, 16 MB; else they are written once no more can come to them. */
const pairsAtOnce = 32_000;
/** Written at once: a millisecond's work, for whoever reads meanwhile waits for it. */
const pairsPerStatement = 250;

/** Writes least where lanes come in the order of the tree of their origins: then each pair's month is written once. */
export class RegionWriter {
  readonly #client: ClientBase;
  readonly #pairs: PairMonths;
  readonly #rest: () => Promise<void>;
  #origin: string | undefined;

  /** `rest` is called between pieces of work. */
  constructor(client: ClientBase, places: Places, rest: () => Promise<void>) {
    this.#client = client;
    this.#rest = rest;
    this.#pairs = new PairMonths(places);
  }

  /** What came to each lane and month since the last time; negative where it went. `ports`: of each lane. */
  async add(changes: readonly Month[], ports: ReadonlyMap<number, Pair>): Promise<void> {
    for (const { lane, month, days } of changes) {
      const ends = ports.get(lane);
      if (!ends) continue;
      if (ends.origin !== this.#origin) await this.#write(this.#pairs.take(ends.origin));
      this.#origin = ends.origin;
      this.#pairs.add(ends, month, days);
      if (this.#pairs.size >= pairsAtOnce) await this.finish();
    }
  }

  async finish(): Promise<void> {
    await this.#write(this.#pairs.take());
  }

  async #write(gathered: readonly PairMonth[]): Promise<void> {
    for (const months of inPieces(gathered)) {
      for (const { place, payload } of await pairsThere(this.#client, months)) {
        const month = months[place - 1];
        if (month) addPayload(month.days, payload);
      }
      await savePairs(this.#client, months, months.map(packed));
      await this.#rest();
    }
    this.#pairs.giveBack(gathered);
  }
}

/** Makes all of them anew from the rollups of lanes, for another tree of places. */
export async function rebuildRegions(client: ClientBase, places: Places): Promise<void> {
  await deletePairs(client);
  for await (const months of regionsByMonth(client, places))
    for (const some of inPieces(months)) await savePairs(client, some, some.map(packed));
}

/** What the rollups of lanes come to between places, a month at a time; each is valid until the next. */
export async function* regionsByMonth(client: ClientBase, places: Places): AsyncGenerator<PairMonth[]> {
  const pairs = new PairMonths(places);
  const pool = new DaysPool();
  let current = -1;
  for await (const { orig_code, dest_code, month, payload } of rollupsByMonth(client)) {
    if (month !== current) yield* taken(pairs);
    current = month;
    const days = pool.take();
    addPayload(days, payload);
    pairs.add({ origin: orig_code, destination: dest_code }, month, days);
    pool.giveBack(days);
  }
  yield* taken(pairs);
}

function* taken(pairs: PairMonths): Generator<PairMonth[]> {
  if (pairs.size === 0) return;
  const months = pairs.take();
  yield months;
  pairs.giveBack(months);
}

function* inPieces(months: readonly PairMonth[]): Generator<readonly PairMonth[]> {
  for (let from = 0; from < months.length; from += pairsPerStatement)
    yield months.slice(from, from + pairsPerStatement);
}

export const packed = ({ days }: PairMonth): Buffer | null => packDays(days);
