/**
 * Where the tree of places comes from: read once per change of places and kept, as are the last few past trees that
 * were asked for. In goes a database, out comes the tree at a revision. Whoever answers from the tree of now compares
 * its revision in the snapshot of the answer; a past tree never changes.
 */
import type { Database, ReadOptions } from '../database/database.js';
import { checkKept, checkReached, NotReached } from './at-revision.js';
import { Places, type PlaceRow } from './places.js';
import { placesAt, placesNow, type PastPlacesRow, type PlacesRow } from './places/sql.js';
import { headOf, type HeadRow, type OldestRow } from './sql.js';

/** A tree and the last revision it is known to hold at. */
interface PastPlaces {
  places: Places;
  through: number;
}

/** Trees of the past that are kept: each has every port. */
const pastTrees = 8;

export class PlaceSource {
  readonly #database: Database;
  #known: Places | undefined;
  #loading: Promise<Places> | undefined;
  /** The last used first. */
  #past: PastPlaces[] = [];
  readonly #loadingPast = new Map<number, Promise<Places>>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The tree as last read; places may have changed since. */
  async known(options: ReadOptions): Promise<Places> {
    return this.#known ?? this.#load(options);
  }

  /** The tree as it is now, and the newest revision. */
  async now(options: ReadOptions): Promise<{ places: Places; revision: number }> {
    const [head] = await this.#database.read<HeadRow>(headOf, options);
    const places = await this.atLeast(Number(head?.places_revision ?? 0), options);
    return { places, revision: Math.max(Number(head?.revision ?? 0), places.revision) };
  }

  /** The tree at a revision that changed places, or a newer one. Throws `NotReached` where the node that is read has none. */
  async atLeast(revision: number, options: ReadOptions): Promise<Places> {
    let known = await this.known(options);
    // A read that others had begun may be from before the change; the next one is not, where the node has the change.
    for (let reads = 0; known.revision < revision; reads++) {
      if (reads === 2) throw new NotReached('min_revision', revision, known.revision);
      known = await this.#load(options);
    }
    return known;
  }

  /**
   * The tree as it was at any revision. Throws `NotReached`, `revision_gone`; but from what is kept also after that went:
   * `check` finds out.
   */
  async at(revision: number, options: ReadOptions): Promise<Places> {
    const kept = this.#past.find(({ places, through }) => places.revision <= revision && revision <= through);
    if (kept) return this.#keep(kept);
    let loading = this.#loadingPast.get(revision);
    if (!loading) {
      loading = this.#readAt(revision, shared(options)).finally(() => this.#loadingPast.delete(revision));
      this.#loadingPast.set(revision, loading);
    }
    return loading;
  }

  /** Whether a revision is there and can be asked about: throws `NotReached`, `revision_gone`. Resolves with the head. */
  async check(revision: number, options: ReadOptions): Promise<HeadRow> {
    const [head] = await this.#database.read<HeadRow & OldestRow>(headOf, options);
    if (!head) throw new Error('there is no head');
    checkReached(Number(head.revision), { as_of: revision });
    checkKept(revision, Number(head.oldest_revision), Number(head.revision));
    return head;
  }

  /** Reads the tree again; those who ask at the same time share one read, which goes on where one of them leaves. */
  #load(options: ReadOptions): Promise<Places> {
    this.#loading ??= this.#read(shared(options)).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #read(options: ReadOptions): Promise<Places> {
    const rows = await this.#database.read<PlacesRow>(placesNow, options);
    const read = placesOf(rows);
    if (!this.#known || read.revision > this.#known.revision) this.#known = read;
    return this.#known;
  }

  async #readAt(revision: number, options: ReadOptions): Promise<Places> {
    const head = await this.check(revision, options);
    // Nearly always places have not changed since: then the tree of now is the one.
    const known = this.#known;
    if (known && known.revision <= revision && known.revision === Number(head.places_revision))
      return this.#keep({ places: known, through: Number(head.revision) });
    const rows = await this.#database.read<PastPlacesRow>(placesAt(revision), options);
    const seen = Number(rows[0]?.revision ?? 0);
    // Behind one address there may be several nodes.
    checkReached(seen, { as_of: revision });
    const next = rows[0]?.next_revision ?? null;
    const through = next === null ? seen : Number(next) - 1;
    return this.#keep({ places: placesOf(rows), through });
  }

  #keep(tree: PastPlaces): Places {
    const others = this.#past.filter(({ places }) => places.revision !== tree.places.revision);
    this.#past = [tree, ...others].slice(0, pastTrees);
    return tree.places;
  }
}

/** Without the signal of whoever happens to be the first. */
const shared = ({ deadline }: ReadOptions): ReadOptions => (deadline === undefined ? {} : { deadline });

/** `revision`: the newest one that changed places; what the rows say, unless it is known better. */
export function placesOf(
  rows: readonly PlacesRow[],
  revision = Number(rows[0]?.places_revision ?? 0),
): Places {
  const places = rows.filter((row): row is PlacesRow & PlaceRow => row.kind !== null);
  return new Places(revision, places);
}
