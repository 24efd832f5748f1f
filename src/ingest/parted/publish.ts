/** Publishing a batch in parts: in go the numbers its sender means it to have, out comes whether it was published now. */
import type { ClientBase } from 'pg';
import type { Database } from '../../database/database.js';
import { settled } from '../../database/settle.js';
import { FairwayError } from '../../errors.js';
import { publish } from '../publish.js';
import { endLease, lockBatches } from '../sql.js';
import type { UploadContext } from '../upload/context.js';
import { limitLockWaits } from '../upload/sql.js';
import { notInParts, takingParts, unknownBatch } from './context.js';
import {
  allPartsInside,
  countLanes,
  misfits,
  partedInside,
  partedNow,
  type AllParts,
  type PartedNow,
} from './sql.js';

/** What there must be: parts 1 to `parts`, and so many items in all of them. */
export interface Stated {
  parts: number;
  items: number;
}

/** Numbers of parts named in an answer. */
const numbersNamed = 100;

/**
 * False where it was published before, with these numbers. Throws `parts_incomplete` where they do not fit, with nothing
 * changed; `batch_state` where it does not take parts or what it replaces is no longer published; `batch_unknown`.
 */
export async function publishParted(
  { database, limits, reach }: UploadContext,
  batch: string,
  stated: Stated,
): Promise<boolean> {
  const [known] = await database.read<PartedNow>(partedNow(batch));
  const replaces = known?.replaces ? [known.replaces] : [];
  const counted = await lanesBefore(database, known, stated);
  let tried = false;
  const publishedNow = await settled(
    database,
    async (client) => {
      await limitLockWaits(client);
      await lockBatches(client, [batch, ...replaces]);
      const now = await partedInside(client, batch);
      if (!now) throw unknownBatch(batch);
      if (!now.in_parts) throw notInParts(batch);
      if (now.attempt !== null && now.state !== 'loading') {
        if (now.state === 'published') await checkRepeat(client, batch, now.attempt, stated);
        // Also by a try whose COMMIT was not heard; a write makes sure that it lasts before it is said.
        await endLease(client, now.attempt);
        return tried;
      }
      const attempt = takingParts(batch, now);
      await reach?.('publishing');
      const all = await completeParts(client, attempt, stated);
      tried = true;
      await publish(client, {
        batch,
        attempt,
        items: stated.items,
        // What came in between is counted under the lock, where it holds up this batch alone.
        lanes: counted?.sha256.equals(all.sha256) ? counted.lanes : await countLanes(client, attempt),
        upload: { sha256: all.sha256, bytes: Number(all.bytes), format: now.format, replaces: now.replaces },
        reason: now.replaces === null ? `batch ${batch}` : `batch ${batch} in place of ${now.replaces}`,
        replaces,
        reach,
      });
      await reach?.('before commit');
      return true;
    },
    limits.patience,
  );
  await reach?.('after commit');
  return publishedNow;
}

/** Before the batch is locked; `sha256` tells whether the parts are still the same then. */
async function lanesBefore(
  database: Database,
  known: PartedNow | undefined,
  stated: Stated,
): Promise<{ lanes: number; sha256: Buffer } | undefined> {
  const attempt = known?.attempt;
  if (!attempt || known.state !== 'loading') return undefined;
  return database.withClient(async (client) => {
    const all = await allPartsInside(client, attempt);
    return fits(all, stated) ? { lanes: await countLanes(client, attempt), sha256: all.sha256 } : undefined;
  });
}

type Fitting = AllParts & { sha256: Buffer };

const fits = (all: AllParts, { parts, items }: Stated): all is Fitting =>
  all.sha256 !== null && all.parts === parts && all.highest === parts && Number(all.items) === items;

async function completeParts(client: ClientBase, attempt: string, stated: Stated): Promise<Fitting> {
  const all = await allPartsInside(client, attempt);
  if (fits(all, stated)) return all;
  const { missing, unexpected } = await misfits(client, attempt, stated.parts, numbersNamed);
  throw new FairwayError(
    'parts_incomplete',
    `${describe(missing, unexpected, all, stated)}; nothing has changed, and parts may still be sent`,
    { details: { missing, unexpected, parts: all.parts, items: Number(all.items) } },
  );
}

function describe(missing: number[], unexpected: number[], all: AllParts, stated: Stated): string {
  const faults = [];
  if (missing.length > 0) faults.push(`of ${stated.parts} parts are missing ${some(missing)}`);
  if (unexpected.length > 0) faults.push(`beyond ${stated.parts} parts there are ${some(unexpected)}`);
  if (faults.length === 0) faults.push(`the parts have ${all.items} items instead of ${stated.items}`);
  return faults.join(', and ');
}

const some = (numbers: readonly number[]): string =>
  numbers.length > 10 ? `${numbers.slice(0, 10).join(', ')}, …` : numbers.join(', ');

async function checkRepeat(
  client: ClientBase,
  batch: string,
  attempt: string,
  stated: Stated,
): Promise<void> {
  const all = await allPartsInside(client, attempt);
  if (fits(all, stated)) return;
  throw new FairwayError(
    'batch_state',
    `batch ${batch} was published with ${all.parts} parts and ${all.items} items, not ${stated.parts} and ${stated.items}`,
  );
}
