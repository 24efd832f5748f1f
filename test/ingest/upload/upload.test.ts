/** Reading in a worker: what goes in comes out of the packed parts, and the worker is let go whatever happens. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/config.js';
import { formatDay, lastItemDay } from '../../../src/days.js';
import { partCapacity } from '../../../src/ingest/pack.js';
import { readUpload, type BatchFormat, type UploadPart } from '../../../src/ingest/parse/upload.js';
import { letGo, takeWorker } from '../../../src/ingest/parse/workers.js';
import { segmentFormat, unpackItems } from '../../../src/segment.js';
import { ports, type ReadItem } from './reading.js';

const header = 'orig_code,dest_code,day,price\n';
const good = 'CNGGZ,EETLL,2021-01-01,5\n';

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Takes parts; gives their items back by lane, day and price. */
function unpacker(): { take: (part: UploadPart) => Promise<void>; items: string[]; parts: number[] } {
  const lanes: UploadPart['lanes'] = [];
  const items: string[] = [];
  const parts: number[] = [];
  const take = async (part: UploadPart): Promise<void> => {
    lanes.push(...part.lanes);
    parts.push(part.items);
    for (const { lane, firstDay, payload } of part.segments) {
      const ends = lanes[lane];
      unpackItems(segmentFormat, payload, (offset, price) =>
        items.push(lineOf('csv', { ...(ends as ReadItem), day: firstDay + offset, price })),
      );
    }
  };
  return { take, items, parts };
}

const lineOf = (format: BatchFormat, { origin, destination, day, price }: ReadItem): string =>
  format === 'csv'
    ? `${origin},${destination},${formatDay(day)},${price}`
    : JSON.stringify({ orig_code: origin, dest_code: destination, day: formatDay(day), price });

function written(format: BatchFormat, items: readonly ReadItem[]): Buffer {
  const lines = items.map((item) => lineOf(format, item));
  if (format === 'json') return Buffer.from(`[${lines.join(', ')}]`);
  return Buffer.from((format === 'csv' ? header : '') + lines.map((line) => `${line}\n`).join(''));
}

const someCodes = ports.slice(0, 12).map((port) => port.code);
const anyItem = fc
  .record({
    origin: fc.constantFrom(...someCodes),
    destination: fc.constantFrom(...someCodes),
    day: fc.oneof(fc.integer({ min: 18_600, max: 18_700 }), fc.integer({ min: 0, max: lastItemDay })),
    price: fc.oneof(fc.integer({ min: 900, max: 1_200 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  })
  .filter((item) => item.origin !== item.destination);

test('what is uploaded comes out of the segments: the same items, doubled ones too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('csv' as const, 'ndjson' as const, 'json' as const),
      fc.array(anyItem, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 5_000 }),
      async (format, items, size) => {
        const bytes = written(format, items);
        const { take, items: unpacked } = unpacker();
        const result = await readUpload(chunked(bytes, size), { format, ports }, take);
        expect(unpacked.sort()).toEqual(items.map((item) => lineOf('csv', item)).sort());
        expect(result).toEqual({
          items: items.length,
          lanes: new Set(items.map((item) => `${item.origin} ${item.destination}`)).size,
          sha256: createHash('sha256').update(bytes).digest(),
          bytes: bytes.length,
          faults: [],
          faultTotal: 0,
          faultCounts: {},
        });
      },
    ),
    { numRuns: 100 },
  );
});

test('a large batch comes in parts, one at a time, and the source is held up meanwhile', async () => {
  const rows = 2_300_000;
  const lineBytes = good.length;
  let pulled = 0;
  let ahead = 0;
  let underWay = 0;
  const parts: number[] = [];
  const block = Buffer.from(good.repeat(10_000));
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(header);
    for (let row = 0; row < rows; row += 10_000) {
      pulled += 10_000;
      ahead = Math.max(ahead, pulled - parts.length * partCapacity);
      yield block;
    }
  }
  const result = await readUpload(source(), { format: 'csv', ports }, async ({ items, lanes }) => {
    expect(++underWay).toBe(1);
    expect(lanes).toHaveLength(parts.length === 0 ? 1 : 0);
    // Many turns, in which the worker could run ahead if nothing held it.
    for (let turn = 0; turn < 2_000; turn++) await new Promise((resolve) => setImmediate(resolve));
    parts.push(items);
    underWay--;
  });
  expect(result).toMatchObject({ items: rows, lanes: 1, bytes: header.length + rows * lineBytes });
  expect(parts.reduce((sum, items) => sum + items, 0)).toBe(rows);
  expect(parts).toHaveLength(3);
  // A part that is taken, one that is full, and the chunks under way.
  expect(ahead).toBeLessThan(2 * partCapacity + 100_000);
});

test('after a fault no part is given, and all faults come back in order', async () => {
  const bad = 'CNGGX,EETLL,2021-01-01,5\n';
  const { take, parts } = unpacker();
  const bytes = Buffer.from(header + good.repeat(5_000) + bad.repeat(5_000));
  const result = await readUpload(chunked(bytes, 1 << 16), { format: 'csv', ports }, take);
  expect(parts).toEqual([]);
  expect(result).toMatchObject({ items: 10_000, faultTotal: 5_000, faultCounts: { port_unknown: 5_000 } });
  expect(result.faults.map((fault) => fault.line)).toEqual(
    Array.from({ length: 5_000 }, (_, index) => 5_002 + index),
  );
});

test('an abort, a source that fails and a part that cannot be taken reject; the next batch is read', async () => {
  const stuck = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(header + good);
    await new Promise(() => undefined);
  };
  const abort = new AbortController();
  const { take } = unpacker();
  const waiting = readUpload(stuck(), { format: 'csv', ports }, take, abort.signal);
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(readUpload(stuck(), { format: 'csv', ports }, take, abort.signal)).rejects.toThrow('gone');

  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(header + good);
    throw new Error('connection lost');
  };
  await expect(readUpload(failing(), { format: 'csv', ports }, take)).rejects.toThrow('connection lost');
  const bytes = Buffer.from(header + good);
  await expect(
    readUpload(chunked(bytes, 100), { format: 'csv', ports }, () => Promise.reject(new Error('no database'))),
  ).rejects.toThrow('no database');

  const { take: takeNext, items } = unpacker();
  await readUpload(chunked(bytes, 100), { format: 'csv', ports }, takeNext);
  expect(items).toEqual([good.trim()]);
});

test('a worker that ends while it reads rejects; one that ended idle is replaced', async () => {
  const worker = takeWorker();
  letGo(worker);
  let more: () => void = () => undefined;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(header);
    more();
    await new Promise(() => undefined);
  };
  const begun = new Promise<void>((resolve) => (more = resolve));
  const reading = readUpload(source(), { format: 'csv', ports }, () => Promise.resolve());
  await begun;
  await worker.terminate();
  await expect(reading).rejects.toThrow(/thread/);

  const idle = takeWorker();
  letGo(idle);
  await idle.terminate();
  const { take, items } = unpacker();
  await readUpload(chunked(Buffer.from(header + good), 9), { format: 'csv', ports }, take);
  expect(items).toEqual([good.trim()]);
});

test('batches share a few threads: the least busy one first, and parts get smaller, not more memory', async () => {
  const waiting = Array.from({ length: 40 }, takeWorker);
  const threads = new Set(waiting);
  expect(threads.size).toBeLessThanOrEqual(4);
  const times = [...threads].map((thread) => waiting.filter((each) => each === thread).length);
  expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
  for (const worker of waiting) letGo(worker);

  const abort = new AbortController();
  const stuck = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(header + good);
    await new Promise(() => undefined);
  };
  const each = 4;
  const others = Array.from({ length: each * threads.size }, () =>
    readUpload(stuck(), { format: 'csv', ports }, () => Promise.resolve(), abort.signal),
  );
  const parts: number[] = [];
  const rows = 600_000;
  const bytes = Buffer.from(header + good.repeat(rows));
  const result = await readUpload(chunked(bytes, 1 << 18), { format: 'csv', ports }, async ({ items }) => {
    parts.push(items);
  });
  expect(result).toMatchObject({ items: rows, faultTotal: 0 });
  expect(parts.reduce((sum, items) => sum + items, 0)).toBe(rows);
  // A share, and the chunks under way.
  expect(Math.max(...parts)).toBeLessThan(partCapacity / (each + 1) + 50_000);
  abort.abort(new Error('enough'));
  await Promise.all(others.map((other) => expect(other).rejects.toThrow('enough')));
});

test('several batches at once do not mix', async () => {
  const results = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const { take, items } = unpacker();
      const bytes = Buffer.from(header + `CNGGZ,EETLL,2021-01-01,${index + 1}\n`.repeat(1_000));
      await readUpload(chunked(bytes, 777), { format: 'csv', ports }, take);
      return new Set(items);
    }),
  );
  expect(results).toEqual(results.map((_, index) => new Set([`CNGGZ,EETLL,2021-01-01,${index + 1}`])));
});

test('an idle worker does not keep the process alive', async () => {
  const upload = join(packageRoot, 'dist/ingest/parse/upload.js');
  const program = `
    const { readUpload } = await import(${JSON.stringify(upload)});
    const ports = [{ code: 'A', name: 'A' }, { code: 'B', name: 'B' }];
    const bytes = Buffer.from('orig_code,dest_code,day,price\\nA,B,2021-01-01,5\\n');
    const source = async function* () { yield bytes; };
    const { items } = await readUpload(source(), { format: 'csv', ports }, async () => undefined);
    process.stdout.write(String(items));`;
  const words = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toBe('1');
});
