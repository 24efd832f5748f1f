/** Reads an upload on the test's own thread. */
import { createHash } from 'node:crypto';
import { PartPacker } from '../../src/ingest/pack.js';
import { gatherSegments, partOf } from '../../src/ingest/parse/part-transfer.js';
import { UploadReader } from '../../src/ingest/parse/upload-reader.js';
import type { readUpload } from '../../src/ingest/parse/upload.js';

/** About a line: a part has few items more than asked for. */
const sliceBytes = 32;

export const readWithParts =
  (capacity: number): typeof readUpload =>
  async (source, options, onPart, signal) => {
    const packer = new PartPacker();
    const reader = new UploadReader(options, {
      item: (lane, day, price) => packer.add(lane, day, price),
    });
    const hash = createHash('sha256');
    let known = 0;
    const flush = async (): Promise<void> => {
      signal?.throwIfAborted();
      if (packer.size === 0 || reader.faults.total > 0) return;
      const lanes = Array.from({ length: reader.lanes - known }, (_, index) => reader.lane(known + index));
      known = reader.lanes;
      const items = packer.size;
      await onPart({ items, lanes, ...partOf(gatherSegments(packer.drain(reader.lanes))) });
    };
    for await (const chunk of source) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        reader.write(chunk.subarray(at, at + sliceBytes));
        if (packer.size >= capacity) await flush();
      }
    }
    reader.end();
    await flush();
    const { faults } = reader;
    return {
      items: reader.items,
      lanes: reader.lanes,
      sha256: hash.digest(),
      bytes: reader.bytes,
      faults: faults.take(),
      faultTotal: faults.total,
      faultCounts: faults.counts,
    };
  };
