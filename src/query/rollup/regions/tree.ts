/** The tree of places that rollups between places are made for, read in a transaction. */
import type { ClientBase } from 'pg';
import type { Places } from '../../places.js';
import { placesOf } from '../../place-source.js';
import { placesAt, type PastPlacesRow } from '../../places/sql.js';

/** The tree at a revision; `changed` is the newest revision up to it that changed places. */
export async function treeAt(client: ClientBase, revision: string, changed: string): Promise<Places> {
  const { rows } = await client.query<PastPlacesRow>(placesAt(Number(revision)));
  return placesOf(rows, Number(changed));
}
