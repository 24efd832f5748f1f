/** What the thread that reads a batch and the one that asked for it say to each other. `job` numbers batches. */
import type { Fault, FaultCode } from './faults.js';
import type { PartBuffers } from './part-transfer.js';
import type { UploadOptions } from './upload.js';

/** Bytes handed over at once: at least 17 to a row, so a chunk holds few rows beside a part. */
export const chunkBytes = 1 << 18;
/** Chunks under way at once: one is read while the next is filled. */
export const chunksUnderWay = 2;

export type ToWorker =
  | { kind: 'open'; job: number; options: UploadOptions }
  | { kind: 'chunk'; job: number; buffer: ArrayBuffer; length: number }
  | { kind: 'end'; job: number }
  /** The part was taken: the next may be sent. */
  | { kind: 'taken'; job: number }
  /** The batch is of no more interest. */
  | { kind: 'drop'; job: number };

export type FromWorker =
  /** The chunk has been read; its buffer comes back to be filled again. */
  | { kind: 'read'; job: number; buffer: ArrayBuffer }
  | {
      kind: 'part';
      job: number;
      items: number;
      lanes: { origin: string; destination: string }[];
      buffers: PartBuffers;
    }
  | { kind: 'faults'; job: number; faults: Fault[] }
  | { kind: 'done'; job: number; summary: Summary }
  | { kind: 'failed'; job: number; message: string };

export interface Summary {
  items: number;
  lanes: number;
  sha256: Uint8Array;
  bytes: number;
  faultTotal: number;
  faultCounts: Partial<Record<FaultCode, number>>;
}
