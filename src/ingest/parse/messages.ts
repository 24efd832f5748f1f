/**
 * What the thread that reads batches and whoever asked for one say to each other. Each batch has a channel of its own,
 * which the thread is given with its options; closing it drops the batch.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Fault, FaultCode } from './faults.js';
import type { PartBuffers } from './part-transfer.js';
import type { UploadOptions } from './upload.js';

/** Bytes handed over at once: at least 17 to a row, so a chunk holds few rows beside a part. */
export const chunkBytes = 1 << 18;
/** Chunks under way at once: one is read while the next is filled. */
export const chunksUnderWay = 2;

/** To the thread itself. */
export interface Opening {
  port: MessagePort;
  options: UploadOptions;
}

export type ToWorker =
  | { kind: 'chunk'; buffer: ArrayBuffer; length: number }
  | { kind: 'end' }
  /** The part was taken: the next may be sent. */
  | { kind: 'taken' };

export type FromWorker =
  /** The chunk has been read; its buffer comes back to be filled again. */
  | { kind: 'read'; buffer: ArrayBuffer }
  | {
      kind: 'part';
      items: number;
      lanes: { origin: string; destination: string }[];
      buffers: PartBuffers;
    }
  | { kind: 'faults'; faults: Fault[] }
  | { kind: 'done'; summary: Summary }
  | { kind: 'failed'; message: string };

export interface Summary {
  items: number;
  lanes: number;
  sha256: Uint8Array;
  bytes: number;
  faultTotal: number;
  faultCounts: Partial<Record<FaultCode, number>>;
}
