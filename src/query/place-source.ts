/**
 * Where the tree of places comes from: read once per change of places and kept. In goes a database, out comes the tree
 * at a revision. Whoever answers from it compares that revision in the snapshot of the answer.
 */
import type { Database, ReadOptions } from '../database/database.js';
import { Places, type PlaceRow } from './places.js';
import { headOf, placesNow, type HeadRow, type PlacesRow } from './sql.js';

export class PlaceSource {
  readonly #database: Database;
  #known: Places | undefined;
  #loading: Promise<Places> | undefined;

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

  /** The tree at a revision that changed places, or a newer one. */
  async atLeast(revision: number, options: ReadOptions): Promise<Places> {
    let known = await this.known(options);
    // A read that others had begun may be from before the change; the next one is not.
    while (known.revision < revision) known = await this.#load(options);
    return known;
  }

  /** Reads the tree again; those who ask at the same time share one read. */
  #load(options: ReadOptions): Promise<Places> {
    this.#loading ??= this.#read(options).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #read(options: ReadOptions): Promise<Places> {
    const rows = await this.#database.read<PlacesRow>(placesNow, options);
    const places = rows.filter((row): row is PlacesRow & PlaceRow => row.kind !== null);
    const read = new Places(Number(rows[0]?.places_revision ?? 0), places);
    if (!this.#known || read.revision > this.#known.revision) this.#known = read;
    return this.#known;
  }
}
