/** Rollups between regions: in go what lanes add up to and the tree of places, out comes what pairs of regions add up to. Pure. */
import { daysOfMonth } from '../../../rollup.js';
import type { Places } from '../../places.js';
import { emptyDays } from '../months.js';

/** Pairs that can hold no more lanes than this are not kept: their lanes are read about as fast (docs/decisions/0007-regions.md). */
const fewestLanes = 8;

/** Keys of two regions, as region_rollups has them. */
export interface Pair {
  origin: string;
  destination: string;
}

export const keyOfRegion = (slug: string): string => `r/${slug}`;

/** Whether a pair is kept, by the number of ports that each of its places stands for. */
export const isKept = (origins: number, destinations: number): boolean =>
  origins * destinations > fewestLanes;

/** Counts and sums of one pair and month. */
export interface PairMonth extends Pair {
  /** Since 1970-01. */
  month: number;
  counts: number[];
  sums: number[];
}

interface Node {
  key: string;
  ports: number;
}

export class PairMonths {
  readonly #places: Places;
  readonly #nodes = new Map<string, Node[]>();
  readonly #months = new Map<string, PairMonth>();

  constructor(places: Places) {
    this.#places = places;
  }

  get size(): number {
    return this.#months.size;
  }

  /** Adds what a lane's month adds up to, to every pair the lane lies in; a port's lane to itself lies in none. */
  add(lane: Pair, month: number, counts: readonly number[], sums: readonly number[]): void {
    if (lane.origin === lane.destination) return;
    for (const from of this.#nodesOf(lane.origin))
      for (const to of this.#nodesOf(lane.destination)) {
        if (!isKept(from.ports, to.ports)) continue;
        const into = this.#monthOf(from.key, to.key, month);
        for (let day = 0; day < daysOfMonth; day++) {
          into.counts[day] = (into.counts[day] ?? 0) + (counts[day] ?? 0);
          into.sums[day] = (into.sums[day] ?? 0) + (sums[day] ?? 0);
        }
      }
  }

  /** What was added since the last time. */
  take(): PairMonth[] {
    const taken = [...this.#months.values()];
    this.#months.clear();
    return taken;
  }

  /** Every region above the port. */
  #nodesOf(code: string): Node[] {
    let nodes = this.#nodes.get(code);
    if (!nodes) {
      nodes = [];
      for (let slug = this.#places.ports.get(code)?.parent ?? null; slug !== null;) {
        nodes.push({ key: keyOfRegion(slug), ports: this.#places.codesBelow(slug).length });
        slug = this.#places.regions.get(slug)?.parent ?? null;
      }
      this.#nodes.set(code, nodes);
    }
    return nodes;
  }

  #monthOf(origin: string, destination: string, month: number): PairMonth {
    const key = `${month} ${origin} ${destination}`;
    let found = this.#months.get(key);
    if (!found) {
      found = { origin, destination, month, counts: emptyDays(), sums: emptyDays() };
      this.#months.set(key, found);
    }
    return found;
  }
}
