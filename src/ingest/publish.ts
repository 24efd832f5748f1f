/**
 * Publishing: the one step that makes a loaded attempt visible, its cost independent of its size. In goes a loaded
 * attempt inside a transaction, out comes its revision; it shows when that transaction commits.
 */
import type { ClientBase } from 'pg';
import { FairwayError } from '../errors.js';
import {
  attemptState,
  endLease,
  lockBatches,
  partSums,
  publishAttempt,
  publishPlaceAt,
  publishPlaces,
  publishRevision,
  type BatchContent,
  type PlaceRow,
} from './sql.js';
import type { Reach } from './stages.js';
import { withdrawReplaced } from './withdraw.js';

export interface Publication extends BatchContent {
  reason: string;
  /** Batches withdrawn in the same revision, so that a correction leaves no hole. */
  replaces: string[];
  /** The places from this revision on, where they change. */
  places?: readonly PlaceRow[];
  reach?: Reach | undefined;
}

/**
 * Publishes in the transaction the client is in. Throws `batch_state` where a batch to be replaced is not published,
 * and another error where the attempt is not the one that loads, or its parts do not add up.
 */
export async function publish(client: ClientBase, publication: Publication): Promise<string> {
  const { batch, attempt, replaces } = publication;
  const locked = await lockBatches(client, [batch, ...replaces]);
  const state = locked.get(batch)?.state;
  if (state !== 'loading' && state !== 'rejected') throw new Error(`batch ${batch} is ${state}, not loading`);
  for (const id of replaces) checkReplaceable(id, locked.get(id)?.state);
  if ((await attemptState(client, attempt)).state !== 'loading')
    throw new Error(`attempt ${attempt} is no longer the one that loads batch ${batch}`);
  const sums = await partSums(client, attempt);
  if (Number(sums.items) !== publication.items)
    throw new Error(`attempt ${attempt} holds ${sums.items} items instead of ${publication.items}`);
  await publication.reach?.('before head');
  const revision = await publishRevision(client, publication.reason);
  if (publication.places) await publishPlaces(client, publication.places, revision);
  await withdrawReplaced(client, replaces, revision, batch);
  const changed = await publishAttempt(client, publication, sums, revision);
  if (changed !== 1) throw new Error(`publishing batch ${batch} changed ${changed} rows`);
  await endLease(client, attempt);
  return revision;
}

/** Throws `batch_state` for a batch that is not published. */
export function checkReplaceable(batch: string, state: string | undefined): void {
  if (state === 'published') return;
  throw new FairwayError(
    'batch_state',
    `batch ${batch} is ${state ?? 'not there'}; only a published batch can be replaced`,
  );
}

/** Publishes a change of one place, in the transaction the client is in. */
export async function publishPlace(client: ClientBase, place: PlaceRow): Promise<string> {
  const revision = await publishRevision(client, `${place.kind} ${place.code}`);
  await publishPlaceAt(client, place, revision);
  return revision;
}
