/** A file that goes in parts has the items and the faults that it has as a whole. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NotInParts, usualSizes, type CutSizes } from '../../src/cli/submit/parts/cutter.js';
import {
  countDiffers,
  linesBefore,
  rejectionOf,
  type RejectedPart,
} from '../../src/cli/submit/parts/faults.js';
import { cuttable, isLarge, Parts, type Part } from '../../src/cli/submit/parts/parts.js';
import type { LineFormat } from '../../src/cli/submit/parts/records.js';
import type { Source } from '../../src/cli/submit/source.js';
import { read } from '../ingest/upload/reading.js';

const small: CutSizes = { part: 300, tail: 60, lookahead: 120, slack: 2_000 };

/** A file that is only in memory, which comes in chunks of so many bytes. */
function sourceOf(bytes: Buffer, format: LineFormat, chunk = 1 << 17, packing?: 'gzip'): Source {
  const read: Source['read'] = (onBytes, { from, to } = { from: 0, to: bytes.length }) => {
    onBytes(bytes.subarray(from, to));
    return Readable.from([bytes.subarray(from, to)], { objectMode: false });
  };
  async function* unpacked(onPacked: (bytes: number) => void = () => undefined): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunk) {
      onPacked(Math.min(chunk, bytes.length - at));
      yield bytes.subarray(at, at + chunk);
    }
  }
  const { length: size } = bytes;
  const close = async (): Promise<void> => undefined;
  return {
    name: 'f',
    path: 'f',
    size,
    format,
    packing,
    head: bytes.subarray(0, 1 << 16),
    changed: 0n,
    read,
    unpacked,
    close,
  };
}

async function partsOf(source: Source, sizes = small): Promise<{ part: Part; body: Buffer }[]> {
  const how = cuttable(source.packing === undefined ? source : { ...source, packing: undefined });
  if (!how) throw new NotInParts('its header is odd');
  const parts = new Parts(source, how, sizes);
  const made: { part: Part; body: Buffer }[] = [];
  for (let part = await parts.next(); part; part = await parts.next())
    made.push({ part, body: await buffer(part.body(() => undefined)) });
  return made;
}

const headers = ['orig_code,dest_code,day,price', '"day","price",orig_code,dest_code'];
const good: Record<LineFormat, string[]> = {
  csv: ['CNGGZ,EETLL,2021-01-01,1188', '"CNGGZ","EETLL","2021-01-01","5"'],
  ndjson: [
    '{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":5}',
    '{"price":1,"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-02"}',
  ],
};
const odd: Record<LineFormat, string[]> = {
  csv: [
    '',
    '#items=3',
    '#items=x',
    '"',
    '"CNGGZ',
    'CN"GGZ,EETLL',
    'CNGGZ"',
    '"CN\nGGZ",EETLL,2021-01-01,5',
    '"a""b",x,y,z',
    '"a"b,"c',
    '"CNGGZ","EE\r\nTLL",2021-01-01,1',
    'CNXXX,EETLL,2021-01-01,1',
    ',,,',
    'a',
    '\ufeffCNGGZ,EETLL,2021-01-01,5',
    '"\n\n"',
    '#items="2',
    '\r',
    '"CNGGZ","EETLL","2021-01-01","5" ',
  ],
  ndjson: [
    '',
    '{"items":3}',
    '{"items":x}',
    ' ',
    '{',
    '[1]',
    '\ufeff{"price":1}',
    '{"price":"1"}',
    '"',
    '\r',
    '{ "items" : 12 } ',
  ],
};
const lines = (format: LineFormat, oddness: number): fc.Arbitrary<string[]> =>
  fc.array(
    fc.oneof(
      { weight: 100, arbitrary: fc.constantFrom(...good[format]) },
      { weight: oddness, arbitrary: fc.constantFrom(...odd[format]) },
    ),
    { minLength: 0, maxLength: 120, size: 'max' },
  );
const file = fc.constantFrom<LineFormat>('csv', 'ndjson').chain((format) =>
  fc.record({
    format: fc.constant(format),
    mark: fc.constantFrom('', '\ufeff'),
    header: fc.constantFrom(...headers),
    lines: fc.oneof(lines(format, 0), lines(format, 10), lines(format, 60)),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    trailer: fc.constantFrom(undefined, 'right', 'wrong', 'odd'),
    end: fc.constantFrom('', '\n', '\n\n', '\r\n\r\n'),
    chunk: fc.integer({ min: 1, max: 700 }),
  }),
);
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

function textOf({ format, mark, header, lines: rows, lineEnd, trailer, end }: File): string {
  const body = (format === 'csv' ? [header, ...rows] : rows).join(lineEnd);
  if (trailer === undefined) return mark + body + end;
  const came = read(Buffer.from(mark + body), { format }).came;
  const count = trailer === 'odd' ? '1e3' : came + (trailer === 'right' ? 0 : 1);
  return mark + body + lineEnd + (format === 'csv' ? `#items=${count}` : `{"items":${count}}`) + end;
}

/** What the parts have, told of the file, as the client puts it together. */
async function together(source: Source, made: { part: Part; body: Buffer }[]) {
  const { format } = source;
  const verdicts = made.map(({ part, body }) => ({ part, ...read(body, { format }) }));
  const rejected: RejectedPart[] = verdicts
    .filter(({ total }) => total > 0)
    .map(({ part, faults, counts, total }) => ({
      range: part,
      errors: faults,
      error_counts: counts,
      error_total: total,
    }));
  const last = made.at(-1)?.part;
  const places = [...rejected.map(({ range }) => range.from), last?.to ?? 0];
  const before = await linesBefore(source.unpacked(), places);
  const { errors } = rejectionOf(rejected, before, format === 'csv' ? 1 : 0, 1e6);
  const came = verdicts.reduce((sum, each) => sum + each.came, 0);
  if (last?.declared !== undefined && last.declared !== came)
    errors.push(countDiffers(last.declared, came, (before.at(-1) ?? 0) + 1));
  return { faults: errors, came, items: verdicts.flatMap(({ items }) => items) };
}

test('parts have the items and faults of the file, wherever it is cut and however it comes', async () => {
  let [cut, whole] = [0, 0];
  await fc.assert(
    fc.asyncProperty(file, async (given) => {
      const bytes = Buffer.from(textOf(given));
      // What has no item at all is never large.
      if (read(bytes, { format: given.format }).came === 0) return;
      const source = sourceOf(bytes, given.format, given.chunk);
      let made: { part: Part; body: Buffer }[];
      try {
        made = await partsOf(source);
      } catch (error) {
        if (!(error instanceof NotInParts)) throw error;
        whole++;
        return;
      }
      if (made.length > 1) cut++;
      const { faults, came, items } = read(bytes, { format: given.format });
      const all = await together(source, made);
      expect(all).toMatchObject({ faults, came });
      if (faults.length === 0) expect(all.items).toEqual(items);
      const ends = made.map(({ part }) => part.to);
      expect(made.map(({ part }) => part.from)).toEqual([0, ...ends.slice(0, -1)]);
      expect(made.map(({ part }) => part.number)).toEqual(made.map((_, at) => at + 1));
      expect(made.reduce((sum, { part }) => sum + part.weight, 0)).toBe(bytes.length);
      const again = await partsOf(sourceOf(bytes, given.format));
      expect(again.map(({ part }) => [part.to, part.digest])).toEqual(
        made.map(({ part }) => [part.to, part.digest]),
      );
      for (const { part, body } of made) expect(body).toHaveLength(part.size);
    }),
    { numRuns: 800 },
  );
  expect(cut).toBeGreaterThan(150);
  expect(whole).toBeLessThan(400);
});

test('a file without faults is never refused; its parts are as large as asked for, and no larger than a record beyond', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (given) => {
      const trailer = given.trailer === undefined ? undefined : ('right' as const);
      const rows = given.lines.map((line) =>
        good[given.format].includes(line) ? line : (good[given.format][0] ?? ''),
      );
      if (rows.length === 0) return;
      const bytes = Buffer.from(textOf({ ...given, lines: rows, end: '\n', trailer }));
      const made = await partsOf(sourceOf(bytes, given.format, given.chunk));
      const sizes = made.map(({ part }) => part.to - part.from);
      for (const size of sizes.slice(0, -1)) expect(size).toBeLessThan(small.part + 90);
      expect(made.at(-1)?.part.declared).toBe(trailer && rows.length);
    }),
  );
});

test('so is it with lines that are too long and quotes that stay open', async () => {
  const spanning = `${'a'.repeat(200)}\n`;
  const block = fc.constantFrom(
    `${good.csv[0]}\n`.repeat(1_500),
    `${good.csv[1]}\n`.repeat(1_500),
    `${'x'.repeat(66_000)}\n`,
    `"${'x'.repeat(66_000)}"\n`,
    '"CNGGZ\n',
    `"CNGGZ,${'y'.repeat(60_000)}\n`,
    `"${spanning.repeat(200)}",b,c,d\n`,
    `"${spanning.repeat(400)}",b,c,d\n`,
    'CN"GGZ\n',
    '\n',
  );
  const end = fc.constantFrom(`${good.csv[0]}\n`, `${good.csv[0]}\n"`, `${'x'.repeat(66_000)}\n#items=1\n`);
  const large: CutSizes = { ...usualSizes, part: 150_000 };
  await fc.assert(
    fc.asyncProperty(fc.array(block, { minLength: 4, maxLength: 14 }), end, async (blocks, last) => {
      const bytes = Buffer.from(`${headers[0]}\n${good.csv[0]}\n${blocks.join('')}${last}`);
      const source = sourceOf(bytes, 'csv', 50_000);
      const { faults, came } = read(bytes, { format: 'csv' });
      expect(await together(source, await partsOf(source, large))).toMatchObject({ faults, came });
    }),
    { numRuns: 60 },
  );
});

test('no part has nothing but the trailer', async () => {
  const rows = `${good.csv[0]}\n`.repeat(5_000);
  const bytes = Buffer.from(`${headers[0]}\n${rows}${'x'.repeat(66_000)}\n#items=5001\n`);
  const made = await partsOf(sourceOf(bytes, 'csv'), { ...usualSizes, part: bytes.length - 65_800 });
  expect(made.map(({ part }) => part.declared)).toEqual([5_001]);
});

test('of a packed file a part is packed again, and is the same each time', async () => {
  const text = `${headers[0]}\r\n${`${good.csv.join('\r\n')}\r\n`.repeat(40)}`;
  const plain = await partsOf(sourceOf(Buffer.from(text), 'csv'));
  const packed = await partsOf(sourceOf(Buffer.from(text), 'csv', 50, 'gzip'));
  expect(packed.length).toBeGreaterThan(5);
  expect(packed.map(({ body }) => gunzipSync(body).toString())).toEqual(
    plain.map(({ body }) => body.toString()),
  );
  for (const { part } of packed) expect(part).toMatchObject({ packed: true });
});

test('what is large, and what can be cut', () => {
  const source = (text: string, format: Source['format'] = 'csv') => ({
    ...sourceOf(Buffer.from(text), 'csv'),
    format,
  });
  const header = (text: string) => cuttable(source(text))?.header.toString();
  expect(header('orig_code,dest_code,day,price\nx')).toBe('orig_code,dest_code,day,price\n');
  expect(header('\ufeffprice,"day",orig_code,dest_code\r\nx')).toBe('price,"day",orig_code,dest_code\r\n');
  for (const odd of [
    '',
    'orig_code,dest_code,day,price',
    'orig_code,dest_code,day\n',
    'orig_code,dest_code,day,price,x\n',
    '\norig_code,dest_code,day,price\n',
    'orig_code,dest_code,day,day\n',
  ])
    expect(header(odd), odd).toBeUndefined();
  expect(cuttable(source('[]', 'json'))).toBeUndefined();
  expect(cuttable({ ...source('x'), packing: 'zstd' })).toBeUndefined();
  const size = (megabytes: number, packing?: 'gzip') =>
    isLarge({ ...source(''), packing, size: megabytes * 2 ** 20 + 1 });
  expect([size(63), size(64), size(15, 'gzip'), size(16, 'gzip')]).toEqual([false, true, false, true]);
});

test('a line that never ends is for the service to judge; the file is not kept in memory', async () => {
  const bytes = Buffer.from(`${headers[0]}\n${good.csv[0]}\n${'x'.repeat(40 << 20)}`);
  await expect(partsOf(sourceOf(bytes, 'csv'), usualSizes)).rejects.toThrow(NotInParts);
});
