/**
 * The answers that are kept, in bounded memory, and which lanes each depends on. In go answers under the text of their
 * questions, out they come again until a revision touches one of their lanes, or changes the places they are about.
 */
import { LRUCache } from 'lru-cache';
import type { End, Ends } from '../ends.js';
import type { News } from '../head.js';
import type { Places } from '../places.js';
import { keyOfRegion } from '../rollup/regions/pairs.js';

export interface RenderedAnswer {
  /** The newest revision that it is known to hold at. */
  revision: number;
  /** In ASCII. */
  body: string;
  /** Length of the body in bytes. */
  bytes: number;
  /** Entity tag of the body, weak: it is the same however the body is packed. */
  etag: string;
  /** When its read began, on the clock of `performance.now()`. */
  readAt: number;
  /** The body packed for the wire, as far as somebody wanted it. */
  packed?: { br?: Buffer; gzip?: Buffer };
}

/** What an answer depends on. */
export interface Dependencies extends Ends {
  /** The revision that was asked for, where one was: such an answer depends on nothing. */
  asOf?: number;
}

interface Kept extends RenderedAnswer {
  readonly key: string;
  readonly asOf: number | undefined;
  /** What it is found by when a lane is touched: a port's code or a region's key for each end. */
  readonly ends: readonly [origin: string, destination: string] | undefined;
  /** The tree that its ends were found in, where they were found in one. */
  readonly tree: Places | undefined;
}

/** What an entry takes beside its texts, measured as 1,105: itself, its place in the list and in the index. */
const entryBytes = 1_200;

export type DropReason = 'lane' | 'places' | 'horizon' | 'unknown';

export class AnswerStore {
  readonly #kept: LRUCache<string, Kept>;
  /** By end of origin, then by end of destination. */
  readonly #byEnds = new Map<string, Map<string, Set<Kept>>>();
  /** Of all kept answers that have one. */
  #tree: Places | undefined;
  /** The oldest revision that can be asked about. */
  #oldest = 0;

  constructor(maxBytes: number) {
    this.#kept = new LRUCache<string, Kept>({
      maxSize: maxBytes,
      maxEntrySize: Math.ceil(maxBytes / 8),
      sizeCalculation: ({ bytes, packed }, key) =>
        bytes + key.length + entryBytes + (packed?.br?.length ?? 0) + (packed?.gzip?.length ?? 0),
      dispose: (kept) => this.#unlink(kept),
    });
  }

  get(key: string): Kept | undefined {
    return this.#kept.get(key);
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /** Answers that are kept; the pairs of ends they are found by; what they take up. */
  get size(): { answers: number; pairs: number; bytes: number } {
    let pairs = 0;
    for (const byDestination of this.#byEnds.values()) pairs += byDestination.size;
    return { answers: this.#kept.size, pairs, bytes: this.#kept.calculatedSize };
  }

  /** `tree`: the one that the ends were found in, where that was needed. */
  set(key: string, answer: RenderedAnswer, { origin, destination, asOf }: Dependencies, tree?: Places): void {
    if (asOf !== undefined) {
      if (asOf < this.#oldest) return;
      return this.#keep({ ...answer, key, asOf, ends: undefined, tree: undefined });
    }
    if (tree && !this.#useTree(tree)) return;
    const ends = [endOf(origin, tree), endOf(destination, tree)] as const;
    this.#keep({ ...answer, key, asOf, ends, tree });
  }

  /** After what was packed came to an answer. */
  resize(answer: RenderedAnswer): void {
    const kept = answer as Kept;
    if (this.#kept.peek(kept.key) !== kept) return;
    // The cache measures what it has not got yet, nothing else.
    this.#kept.delete(kept.key);
    this.#keep(kept);
  }

  /** Drops what no longer holds. `dropped` hears how many, and why. */
  hear(
    { revision, places, oldest, touched }: News,
    dropped: (reason: DropReason, answers: number) => void,
  ): void {
    if (oldest > this.#oldest) {
      this.#oldest = oldest;
      dropped(
        'horizon',
        this.#drop(({ asOf }) => asOf !== undefined && asOf < oldest),
      );
    }
    if (touched === undefined)
      return dropped(
        'unknown',
        this.#drop((kept) => kept.asOf === undefined && kept.revision < revision),
      );
    if (this.#tree && this.#tree.revision < places)
      dropped(
        'places',
        this.#drop(({ tree }) => tree !== undefined && tree.revision < places),
      );
    const before = this.#kept.size;
    for (const [at, lanes] of touched) this.#dropLanes(at, lanes);
    dropped('lane', before - this.#kept.size);
  }

  /** Of answers that depend on the lanes, those from before the revision. */
  #dropLanes(revision: number, lanes: readonly (readonly [origin: string, destination: string])[]): void {
    const around = new Map<string, readonly string[]>();
    const namesOf = (port: string): readonly string[] => {
      let names = around.get(port);
      if (!names) around.set(port, (names = this.#namesAround(port)));
      return names;
    };
    for (const [origin, destination] of lanes)
      for (const from of namesOf(origin)) {
        const byDestination = this.#byEnds.get(from);
        if (!byDestination) continue;
        for (const to of namesOf(destination))
          for (const kept of byDestination.get(to) ?? [])
            if (kept.revision < revision) this.#kept.delete(kept.key);
      }
  }

  #drop(which: (kept: Kept) => boolean): number {
    const gone = [...this.#kept.values()].filter(which);
    for (const { key } of gone) this.#kept.delete(key);
    return gone.length;
  }

  /** A port and the regions around it, as answers are found by them. */
  #namesAround(port: string): readonly string[] {
    const regions: string[] = [];
    let slug = this.#tree?.ports.get(port)?.parent ?? null;
    while (slug !== null) {
      const region = this.#tree?.regions.get(slug);
      if (region) regions.push(keyOfRegion(slug));
      slug = region?.parent ?? null;
    }
    return [port, ...regions];
  }

  /** Whether the tree is as new as the one that kept answers were found in; they go where it is newer. */
  #useTree(tree: Places): boolean {
    const before = this.#tree?.revision ?? -1;
    if (tree.revision > before) {
      this.#drop((kept) => kept.tree !== undefined);
      this.#tree = tree;
    }
    return tree.revision >= before;
  }

  #keep(kept: Kept): void {
    this.#kept.set(kept.key, kept);
    // Too large an answer was not taken.
    if (kept.ends && this.#kept.peek(kept.key) === kept) this.#link(kept, kept.ends);
  }

  #link(kept: Kept, [origin, destination]: readonly [string, string]): void {
    let byDestination = this.#byEnds.get(origin);
    if (!byDestination) this.#byEnds.set(origin, (byDestination = new Map<string, Set<Kept>>()));
    const answers = byDestination.get(destination);
    if (answers) answers.add(kept);
    else byDestination.set(destination, new Set([kept]));
  }

  #unlink(kept: Kept): void {
    if (!kept.ends) return;
    const [origin, destination] = kept.ends;
    const byDestination = this.#byEnds.get(origin);
    const answers = byDestination?.get(destination);
    if (!byDestination || !answers?.delete(kept) || answers.size > 0) return;
    byDestination.delete(destination);
    if (byDestination.size === 0) this.#byEnds.delete(origin);
  }
}

/** What an end is found by. A port goes before a region of the same name. */
const endOf = (end: End, tree: Places | undefined): string =>
  'port' in end ? end.port : tree?.ports.has(end.place) ? end.place : keyOfRegion(end.place);
