/**
 * Reading an uploaded batch off the event loop: in go its decoded bytes, out come packed parts, and at the end its
 * hash and every fault, located.
 */
import type { SharedPace } from '../../pace.js';
import type { Segment } from '../pack.js';
import type { Fault, FaultCode } from './faults.js';
import { Reading } from './reading.js';

export type { Fault, FaultCode } from './faults.js';

export type BatchFormat = 'csv' | 'ndjson' | 'json';

export interface KnownPort {
  code: string;
  name: string;
}

export interface UploadOptions {
  format: BatchFormat;
  ports: readonly KnownPort[];
  declaredItems?: number;
  /** Faults kept with their place and message; 100,000 by default. All are counted. */
  maximumFaults?: number;
  /** What reading may use of the time, with whoever shares it; all of it where this is not given. */
  pace?: SharedPace;
}

export interface UploadPart {
  items: number;
  /** Lanes that occur first in this part, numbered on from those of earlier parts. */
  lanes: { origin: string; destination: string }[];
  /** Since 1970-01-01. */
  firstDay: number;
  lastDay: number;
  /** `Segment.lane` is that number, from 0. */
  segments: Iterable<Segment>;
}

export interface UploadResult {
  /** Items that came, good or bad. */
  items: number;
  lanes: number;
  /** SHA-256 of the bytes as fed in. */
  sha256: Buffer;
  bytes: number;
  /** The first `maximumFaults`, in order of place. */
  faults: Fault[];
  faultTotal: number;
  faultCounts: Partial<Record<FaultCode, number>>;
}

/**
 * Runs in a worker thread; the caller's event loop stays free. `onPart` is awaited before more is packed; after the
 * first fault no more parts are given. Rejects where the source fails, a part cannot be taken or `signal` aborts; the
 * worker is always let go. The source's iterator is returned, which destroys a Node stream: whoever still has to answer
 * on its socket hands in `stream.iterator({ destroyOnReturn: false })`.
 */
export async function readUpload(
  source: AsyncIterable<Uint8Array>,
  options: UploadOptions,
  onPart: (part: UploadPart) => Promise<void>,
  signal?: AbortSignal,
): Promise<UploadResult> {
  signal?.throwIfAborted();
  const reading = new Reading(options, onPart);
  const abort = (): void => reading.fail(signal?.reason);
  signal?.addEventListener('abort', abort);
  const chunks = source[Symbol.asyncIterator]();
  try {
    // What the source does after a failure is of no interest: it may never yield again.
    feed(chunks, reading).catch((error: unknown) => reading.fail(error));
    return await reading.result;
  } finally {
    signal?.removeEventListener('abort', abort);
    reading.close();
    void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
}

/** Copies the source into whole buffers and hands them over, as fast as they are read. */
async function feed(chunks: AsyncIterator<Uint8Array>, reading: Reading): Promise<void> {
  let buffer = await reading.buffer();
  let length = 0;
  for (let next = await chunks.next(); !next.done && !reading.over; next = await chunks.next()) {
    const chunk = next.value;
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + buffer.byteLength - length);
      new Uint8Array(buffer, length).set(piece);
      length += piece.length;
      from += piece.length;
      if (length < buffer.byteLength) continue;
      reading.send(buffer, length);
      buffer = await reading.buffer();
      length = 0;
    }
  }
  reading.send(buffer, length);
  reading.end();
}
