/**
 * Rollups between places, kept: in go what lanes came to add up to, out come rows of region_rollups. In the transaction
 * that moves the rollups of lanes.
 */
import type { ClientBase } from 'pg';
import { packRollup, unpackRollup } from '../../../rollup.js';
import type { Places } from '../../places.js';
import { emptyDays, type Month } from '../months.js';
import { PairMonths, type PairMonth } from './pairs.js';
import { deletePairs, pairsThere, portsOfLanes, rollupsByMonth, savePairs } from './sql.js';

/** Pairs and months that are gathered before they are written: some 30 MB, and nearly always all there are, so that each is written once. */
const pairsAtOnce = 50_000;
/** A larger statement would hold up whoever reads meanwhile, and take more memory. */
const pairsPerStatement = 1_000;

export class RegionWriter {
  readonly #client: ClientBase;
  readonly #pairs: PairMonths;

  constructor(client: ClientBase, places: Places) {
    this.#client = client;
    this.#pairs = new PairMonths(places);
  }

  /** What came to each lane and month since the last time; negative where it went. */
  async add(changes: readonly Month[]): Promise<void> {
    const lanes = await portsOfLanes(this.#client, [...new Set(changes.map(({ lane }) => lane))]);
    for (const { lane, month, counts, sums } of changes) {
      const ports = lanes.get(lane);
      if (ports) this.#pairs.add(ports, month, counts, sums);
      if (this.#pairs.size >= pairsAtOnce) await this.finish();
    }
  }

  async finish(): Promise<void> {
    const gathered = this.#pairs.take();
    for (let from = 0; from < gathered.length; from += pairsPerStatement) {
      const months = gathered.slice(from, from + pairsPerStatement);
      for (const { place, payload } of await pairsThere(this.#client, months)) {
        const month = months[place - 1];
        if (month) addPayload(month, payload);
      }
      await savePairs(this.#client, months, months.map(packed));
    }
  }
}

/** Makes all of them anew from the rollups of lanes, for another tree of places. */
export async function rebuildRegions(client: ClientBase, places: Places): Promise<void> {
  await deletePairs(client);
  for await (const months of regionsByMonth(client, places)) {
    for (let from = 0; from < months.length; from += pairsPerStatement) {
      const some = months.slice(from, from + pairsPerStatement);
      await savePairs(client, some, some.map(packed));
    }
  }
}

/** What the rollups of lanes come to between places, a month at a time. */
export async function* regionsByMonth(client: ClientBase, places: Places): AsyncGenerator<PairMonth[]> {
  const pairs = new PairMonths(places);
  const lane = { counts: emptyDays(), sums: emptyDays() };
  let current = -1;
  for await (const { orig_code, dest_code, month, payload } of rollupsByMonth(client)) {
    if (month !== current && pairs.size > 0) yield pairs.take();
    current = month;
    lane.counts.fill(0);
    lane.sums.fill(0);
    addPayload(lane, payload);
    pairs.add({ origin: orig_code, destination: dest_code }, month, lane.counts, lane.sums);
  }
  if (pairs.size > 0) yield pairs.take();
}

function addPayload({ counts, sums }: Pick<PairMonth, 'counts' | 'sums'>, payload: Buffer): void {
  unpackRollup(payload, (day, count, sum) => {
    counts[day] = (counts[day] ?? 0) + count;
    sums[day] = (sums[day] ?? 0) + sum;
  });
}

/** Null where nothing is left. */
export const packed = ({ counts, sums }: PairMonth): Buffer | null => packRollup(counts, sums) ?? null;
