/** Rollups between regions: in go what lanes add up to and the tree of places, out comes what pairs of regions add up to. Pure. */
import type { Places } from '../../places.js';
import { addDays, DaysPool, type Days } from '../days.js';

/** Pairs that can hold no more lanes than this are not kept: their lanes are read about as fast (docs/decisions/0007-regions.md). */
const fewestLanes = 64;

/** Keys of two regions, as region_rollups has them. */
export interface Pair {
  origin: string;
  destination: string;
}

export const keyOfRegion = (slug: string): string => `r/${slug}`;

/** Whether a pair is kept, by the number of ports that each of its places stands for. */
export const isKept = (origins: number, destinations: number): boolean =>
  origins * destinations > fewestLanes;

/** What one pair and month adds up to. */
export interface PairMonth extends Pair {
  /** Since 1970-01. */
  month: number;
  days: Days;
}

interface Region {
  key: string;
  ports: number;
  /** Of those met so far. */
  number: number;
}

/** By destination and month. */
type MonthsOfOrigin = Map<number, PairMonth>;

export class PairMonths {
  readonly #places: Places;
  readonly #pool = new DaysPool();
  readonly #regions = new Map<string, Region>();
  /** By port: every region above it. */
  readonly #above = new Map<string, readonly Region[]>();
  readonly #origins = new Map<Region, MonthsOfOrigin>();
  #size = 0;

  constructor(places: Places) {
    this.#places = places;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds what a lane's month adds up to, to every pair the lane lies in; a port's lane to itself lies in none. */
  add(lane: Pair, month: number, days: Days): void {
    if (lane.origin === lane.destination) return;
    for (const from of this.#regionsAbove(lane.origin))
      for (const to of this.#regionsAbove(lane.destination))
        if (isKept(from.ports, to.ports)) addDays(this.#daysOf(from, to, month), days);
  }

  /**
   * What was gathered, origin by origin, sorted by destination and month; where a port is given, only that of origins
   * it does not lie in. To be given back once it was used.
   */
  take(port?: string): PairMonth[] {
    const staying = port === undefined ? [] : this.#regionsAbove(port);
    const taken: PairMonth[] = [];
    for (const [origin, months] of this.#origins) {
      if (staying.includes(origin)) continue;
      for (const [, month] of [...months].sort(([a], [b]) => a - b)) taken.push(month);
      this.#origins.delete(origin);
      this.#size -= months.size;
    }
    return taken;
  }

  giveBack(months: readonly PairMonth[]): void {
    for (const { days } of months) this.#pool.giveBack(days);
  }

  #regionsAbove(code: string): readonly Region[] {
    let above = this.#above.get(code);
    if (!above) {
      const regions: Region[] = [];
      for (let slug = this.#places.ports.get(code)?.parent ?? null; slug !== null;) {
        regions.push(this.#region(slug));
        slug = this.#places.regions.get(slug)?.parent ?? null;
      }
      above = regions;
      this.#above.set(code, above);
    }
    return above;
  }

  #region(slug: string): Region {
    let region = this.#regions.get(slug);
    if (!region) {
      const ports = this.#places.codesBelow(slug).length;
      region = { key: keyOfRegion(slug), ports, number: this.#regions.size };
      this.#regions.set(slug, region);
    }
    return region;
  }

  #daysOf(origin: Region, destination: Region, month: number): Days {
    let months = this.#origins.get(origin);
    if (!months) {
      months = new Map();
      this.#origins.set(origin, months);
    }
    const key = destination.number * 4_096 + month;
    let found = months.get(key);
    if (!found) {
      found = { origin: origin.key, destination: destination.key, month, days: this.#pool.take() };
      months.set(key, found);
      this.#size++;
    }
    return found.days;
  }
}
