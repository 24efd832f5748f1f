/**
 * A part, from its bytes to its commit: read into memory while no transaction is open, then stored in one, so that
 * nothing of it is there or all of it, and whichever was stored last has its number.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { settled } from '../../database/settle.js';
import { FairwayError } from '../../errors.js';
import { readBatch } from '../batches/read.js';
import { loadSegments } from '../load.js';
import type { Segment } from '../pack.js';
import type { KnownPort, UploadPart, UploadResult } from '../parse/upload.js';
import { readBody } from '../upload/body.js';
import type { UploadContext } from '../upload/context.js';
import { laneIdsOf } from '../upload/parts.js';
import { limitLockWaits, portsNow, renewLease, shareBatch } from '../upload/sql.js';
import { asStoredPart, takingParts, unknownBatch, type PartUpload, type StoredPart } from './context.js';
import {
  deletePartSegments,
  partedInside,
  partedNow,
  partOfAttempt,
  putPart,
  storedPart,
  type NewPart,
  type PartedNow,
  type StoredPartRow,
} from './sql.js';

type Bytes = AsyncIterable<Uint8Array>;

/** Faults told of a part; all are counted. */
const faultsKept = 100;

/** What a part is once it has been read. */
interface ReadPart {
  result: UploadResult;
  /** Of the bytes as sent. */
  digest: Buffer;
  lanes: UploadPart['lanes'];
  pieces: Omit<UploadPart, 'lanes'>[];
}

export type Kept = { part: StoredPart; repeated: boolean };

/**
 * The part as it is stored already, without a look at the body; undefined where it has to be loaded. Throws
 * `batch_unknown` or `batch_state`.
 */
export async function keepPart(context: UploadContext, upload: PartUpload): Promise<Kept | undefined> {
  const { database } = context;
  const { batch, part, digest, caller } = upload;
  await readBatch(database, batch, caller);
  const [now] = await database.read<PartedNow>(partedNow(batch));
  const attempt = takingParts(batch, now);
  const [seen] = await database.read<StoredPartRow>(partOfAttempt(attempt, part));
  if (!seen?.digest.equals(digest)) return undefined;
  return settled(
    database,
    async (client) => {
      const attempt = await holdOpen(client, batch);
      const row = await storedPart(client, attempt, part);
      if (!row?.digest.equals(digest)) return undefined;
      return { part: await renewed(client, context, attempt, row), repeated: true };
    },
    context.limits.patience,
  );
}

/** Throws `request_too_large` and what else a body can be refused for, `digest_mismatch`, and `disk_nearly_full`. */
export async function readPart(
  { database, limits, read, disk, pace }: UploadContext,
  { format, encoding, declaredItems, digest }: PartUpload,
  source: Bytes,
): Promise<ReadPart> {
  await disk.check();
  const packed = encoding === 'identity' ? undefined : createHash('sha256');
  const body = readBody(packed ? hashed(source, packed) : source, encoding, {
    ...limits,
    decodedBytes: limits.partBytes,
  });
  const lanes: UploadPart['lanes'] = [];
  const pieces: ReadPart['pieces'] = [];
  const ports = await database.read<KnownPort>(portsNow);
  const options = {
    format,
    ports,
    maximumFaults: faultsKept,
    ...(pace ? { pace: pace.shared } : {}),
  };
  const result = await read(
    body,
    declaredItems === undefined ? options : { ...options, declaredItems },
    async ({ lanes: fresh, ...piece }) => {
      for (const lane of fresh) lanes.push(lane);
      pieces.push(piece);
    },
  );
  const found = packed?.digest() ?? result.sha256;
  if (!found.equals(digest)) throw mismatch(found);
  return { result, digest, lanes, pieces };
}

/** Throws `batch_state` where the batch was published, given up or has expired meanwhile, and `outcome_unknown`. */
export async function storePart(
  context: UploadContext,
  { batch, part }: PartUpload,
  { result, digest, lanes, pieces }: ReadPart,
): Promise<Kept> {
  const { reach } = context;
  await reach?.('part read');
  await context.disk.check();
  const laneIds = await laneIdsOf(context, lanes);
  const row: NewPart = {
    part,
    digest,
    items: result.items,
    lanes: result.lanes,
    bytes: result.bytes,
    firstDay: pieces.reduce((first, piece) => Math.min(first, piece.firstDay), Infinity),
    lastDay: pieces.reduce((last, piece) => Math.max(last, piece.lastDay), -Infinity),
  };
  const kept = await settled(
    context.database,
    async (client) => {
      const attempt = await holdOpen(client, batch);
      const fresh = await putPart(client, attempt, row);
      if (fresh) {
        await reach?.('part loading');
        await deletePartSegments(client, attempt, part);
        await loadSegments(client, { attempt, part }, segmentsOf(pieces), laneIds, context.pace);
      }
      const stored = await storedPart(client, attempt, part);
      const kept = { part: await renewed(client, context, attempt, stored), repeated: !fresh };
      await reach?.('before commit');
      return kept;
    },
    context.limits.patience,
  );
  await reach?.('part loaded');
  return kept;
}

/** Holds off publishing, giving up and collecting until the transaction ends. */
async function holdOpen(client: ClientBase, batch: string): Promise<string> {
  await limitLockWaits(client);
  if (!(await shareBatch(client, batch))) throw unknownBatch(batch);
  return takingParts(batch, await partedInside(client, batch));
}

/** Comes last: parts that are stored at the same time wait for each other here. Its write makes sure, once committed, that what was seen lasts. */
async function renewed(
  client: ClientBase,
  { limits }: UploadContext,
  attempt: string,
  row: StoredPartRow | undefined,
): Promise<StoredPart> {
  await renewLease(client, attempt, limits.unfinishedMilliseconds);
  if (!row) throw new Error('a part that was stored is not there');
  return asStoredPart(row);
}

/** Gone through again where a transaction was lost. */
const segmentsOf = (pieces: ReadPart['pieces']): Iterable<Segment> => ({
  *[Symbol.iterator]() {
    for (const { segments } of pieces) yield* segments;
  },
});

async function* hashed(source: Bytes, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

const mismatch = (found: Buffer): FairwayError =>
  new FairwayError(
    'digest_mismatch',
    `what arrived has the SHA-256 ${found.toString('base64')}, which is not what Content-Digest says; nothing of it is stored, send the part again`,
  );
