/** What the steps of a batch in parts have in common. */
import { FairwayError } from '../../errors.js';
import type { BatchFormat } from '../parse/upload.js';
import type { Caller, Upload } from '../upload/context.js';
import type { PartedNow, StoredPartRow } from './sql.js';

export interface Opening {
  caller: Caller;
  /** Idempotency-Key. */
  key: string | null;
  format: BatchFormat | null;
  /** The batch that this one takes the place of. */
  replaces: string | null;
}

/** A part as it comes. */
export interface PartUpload extends Pick<Upload, 'caller' | 'format' | 'encoding' | 'declaredItems'> {
  batch: string;
  /** From 1. */
  part: number;
  /** SHA-256 of the bytes as sent. */
  digest: Buffer;
}

export interface StoredPart {
  part: number;
  items: number;
  lanes: number;
  /** Once decoded. */
  bytes: number;
  digest: Buffer;
  storedAt: Date;
}

export const asStoredPart = (row: StoredPartRow): StoredPart => ({
  part: row.part,
  items: Number(row.items),
  lanes: row.lanes,
  bytes: Number(row.bytes),
  digest: row.digest,
  storedAt: row.stored_at,
});

/** The attempt of a batch that takes parts. Throws `batch_unknown` or `batch_state`. */
export function takingParts(batch: string, now: PartedNow | undefined): string {
  if (!now) throw unknownBatch(batch);
  if (!now.in_parts) throw notInParts(batch);
  if (now.state !== 'loading')
    throw new FairwayError('batch_state', `batch ${batch} is ${now.state}; it takes no more parts`);
  if (now.attempt === null) throw expired(batch);
  return now.attempt;
}

export const unknownBatch = (batch: string): FairwayError =>
  new FairwayError('batch_unknown', `there is no batch ${batch}, or it is not yours`);

export const notInParts = (batch: string): FairwayError =>
  new FairwayError('batch_state', `batch ${batch} was sent in one request; it has no parts`);

/** Said where the lease is over and the collector was there. */
const expired = (batch: string): FairwayError =>
  new FairwayError(
    'batch_state',
    `batch ${batch} was given up, or had no new part for too long and has expired; open another`,
  );
