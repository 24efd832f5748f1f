/**
 * Reading an uploaded batch off the event loop: in go its decoded bytes, out come packed parts, and at the end its
 * hash and every fault, located.
 */
import { createHash } from 'node:crypto';
import { PartPacker, type Segment } from '../pack.js';
import { UploadReader } from './upload-reader.js';
import type { Fault, FaultCode } from './faults.js';

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
}

export interface UploadPart {
  items: number;
  /** Lanes that occur first in this part, numbered on from those of earlier parts. */
  lanes: { origin: string; destination: string }[];
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
 * first fault no more parts are given. Rejects where the source fails or `signal` aborts; the worker is always let go.
 */
export async function readUpload(
  source: AsyncIterable<Uint8Array>,
  options: UploadOptions,
  onPart: (part: UploadPart) => Promise<void>,
  signal?: AbortSignal,
): Promise<UploadResult> {
  const packer = new PartPacker(1_070_000);
  const reader = new UploadReader(options, { item: (lane, day, price) => packer.add(lane, day, price) });
  const hash = createHash('sha256');
  let known = 0;
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    if (packer.size === 0 || reader.faults.total > 0) return;
    const lanes = Array.from({ length: reader.lanes - known }, (_, index) => reader.lane(known + index));
    known = reader.lanes;
    const items = packer.size;
    await onPart({ items, lanes, segments: [...packer.drain(reader.lanes)] });
  };
  for await (const chunk of source) {
    hash.update(chunk);
    reader.write(chunk);
    if (packer.size >= 1_000_000) await flush();
  }
  reader.end();
  await flush();
  const { faults, bytes, items, lanes } = reader;
  return {
    items,
    lanes,
    sha256: hash.digest(),
    bytes,
    faults: faults.take(),
    faultTotal: faults.total,
    faultCounts: faults.counts,
  };
}
