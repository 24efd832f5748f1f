/** Good files with bytes changed, put in or taken away: always a verdict, the same however they come in chunks. */
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayOf } from '../../../src/days.js';
import type { BatchFormat } from '../../../src/ingest/parse/upload.js';
import { read } from './reading.js';

const object = (price: number): string =>
  `{"orig_code": "CNGGZ", "dest_code": "EETLL", "day": "2021-01-0${price}", "price": ${price}}`;
const prices = [1, 2, 3];
const files: Record<BatchFormat, string> = {
  csv: `orig_code,dest_code,day,price\r\n${prices.map((price) => `CNGGZ,"EETLL",2021-01-0${price},${price}\r\n`).join('')}#items=3\r\n`,
  ndjson: `${prices.map((price) => `${object(price)}\n`).join('')}{"items":3}\n`,
  json: `{"prices": [${prices.map(object).join(',\n')}]}`,
};

const interesting = Array.from('",\n\r{}[]:\\0129-+.eu #ax', (letter) => letter.charCodeAt(0));
const byte = fc.oneof(
  fc.constantFrom(...interesting, 0, 0xef, 0xbb, 0xbf, 0xff, 0xc3),
  fc.integer({ max: 255, min: 0 }),
);
interface Change {
  at: number;
  remove: number;
  put: number[];
}
const damage = fc.array<Change>(
  fc.record({ at: fc.nat(400), remove: fc.nat(3), put: fc.array(byte, { maxLength: 3 }) }),
  {
    minLength: 1,
    maxLength: 3,
  },
);

test('a verdict whatever happened to the file, the same for any chunks, and no JSON taken that is none', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<BatchFormat>('csv', 'ndjson', 'json'),
      damage,
      fc.array(fc.nat(400), { maxLength: 4 }),
      (format, changes, cuts) => {
        let bytes = Buffer.from(files[format]);
        for (const { at, remove, put } of changes) {
          const start = at % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(put), bytes.subarray(start + remove)]);
        }
        const whole = read(bytes, { format });
        const places = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
        expect(read(bytes, { format }, places)).toEqual(whole);
        expect(Object.values(whole.counts).reduce((sum, count) => sum + count, 0)).toBe(whole.total);
        for (const { line, column } of whole.faults) expect(Math.min(line, column)).toBeGreaterThan(0);
        if (whole.total > 0) return;
        expect(isUtf8(bytes)).toBe(true);
        expect(whole.items).toHaveLength(whole.came);
        if (format !== 'csv') expect(whole.items).toEqual(parsed(format, bytes.toString()));
      },
    ),
    {
      numRuns: 6_000,
      // A vertical tab at each place of the trailer, which is no white space of JSON.
      examples: Array.from({ length: 12 }, (_, index): [BatchFormat, Change[], number[]] => [
        'ndjson',
        [{ at: files.ndjson.length - 1 - index, remove: 0, put: [11] }],
        [],
      ]),
    },
  );
});

interface Item {
  orig_code: string;
  dest_code: string;
  day: string;
  price: number;
}

/** The items by JSON.parse, which throws where the text is not JSON. */
function parsed(format: BatchFormat, text: string): unknown[] {
  const json = text.replace(/^\ufeff/, '');
  const lines = json.split('\n').filter((line) => line.trim() !== '');
  const document = (format === 'ndjson' ? lines.map((line) => JSON.parse(line)) : JSON.parse(json)) as
    Item[] | { prices: Item[] };
  const items = (Array.isArray(document) ? document : document.prices).filter((item) => !('items' in item));
  return items.map(({ orig_code, dest_code, day, price }) => {
    const [year = 0, month = 0, dayOfMonth = 0] = day.split('-').map(Number);
    return { origin: orig_code, destination: dest_code, day: dayOf(year, month, dayOfMonth), price };
  });
}
