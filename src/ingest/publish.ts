/**
 * Publishing: the one step that makes a loaded attempt visible, its cost independent of its size. In goes a loaded
 * attempt inside a transaction, out comes its revision; it shows when that transaction commits.
 */
import type { ClientBase } from 'pg';
import {
  lockBatch,
  partSums,
  publishAttempt,
  publishPlaceAt,
  publishPlaces,
  publishRevision,
  type PlaceRow,
} from './sql.js';
import { withdrawReplaced } from './withdraw.js';

export interface Publication {
  batch: string;
  attempt: string;
  items: number;
  lanes: number;
  contentHash: Buffer;
  reason: string;
  /** Batches withdrawn in the same revision, so that a correction leaves no hole. */
  replaces: string[];
  /** The places from this revision on, where they change. */
  places?: readonly PlaceRow[];
}

/** Publishes in the transaction the client is in. Throws where the batch is not loading or its parts do not add up. */
export async function publish(client: ClientBase, publication: Publication): Promise<string> {
  const { state } = await lockBatch(client, publication.batch);
  if (state !== 'loading') throw new Error(`batch ${publication.batch} is ${state}, not loading`);
  const { items } = await partSums(client, publication.attempt);
  if (Number(items) !== publication.items) {
    throw new Error(`attempt ${publication.attempt} holds ${items} items instead of ${publication.items}`);
  }
  const revision = await publishRevision(client, publication.reason);
  if (publication.places) await publishPlaces(client, publication.places, revision);
  await withdrawReplaced(client, publication.replaces, revision, publication.batch);
  const changed = await publishAttempt(client, publication, revision);
  if (changed !== 1) throw new Error(`publishing batch ${publication.batch} changed ${changed} rows`);
  return revision;
}

/** Publishes a change of one place, in the transaction the client is in. */
export async function publishPlace(client: ClientBase, place: PlaceRow): Promise<string> {
  const revision = await publishRevision(client, `${place.kind} ${place.code}`);
  await publishPlaceAt(client, place, revision);
  return revision;
}
