/** Reading a batch in one thread: in go bytes, out come its items and faults. */
import { samplePorts } from '../../../src/sample/places.js';
import type { Fault } from '../../../src/ingest/parse/faults.js';
import { UploadReader } from '../../../src/ingest/parse/upload-reader.js';
import type { BatchFormat, UploadOptions } from '../../../src/ingest/parse/upload.js';

export const ports = samplePorts.map(({ code, name }) => ({ code, name }));

export interface ReadItem {
  origin: string;
  destination: string;
  day: number;
  price: number;
}

export interface Read {
  items: ReadItem[];
  came: number;
  faults: Fault[];
  counts: Record<string, number>;
  total: number;
}

export const formatOf = (file: string): BatchFormat => (file.split('.').at(-1) ?? '') as BatchFormat;

/** Feeds the bytes in chunks that end at the places given. */
export function read(
  bytes: Uint8Array,
  options: Partial<UploadOptions> & { format: BatchFormat },
  cuts: readonly number[] = [],
): Read {
  const taken: { lane: number; day: number; price: number }[] = [];
  const reader = new UploadReader(
    { ports, ...options },
    { item: (lane, day, price) => taken.push({ lane, day, price }) },
  );
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.write(bytes.subarray(from, cut));
    from = cut;
  }
  reader.end();
  return {
    items: taken.map(({ lane, day, price }) => ({ ...reader.lane(lane), day, price })),
    came: reader.items,
    faults: reader.faults.take(),
    counts: reader.faults.counts,
    total: reader.faults.total,
  };
}
