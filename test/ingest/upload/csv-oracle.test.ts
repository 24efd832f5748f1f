/** CSV against csv-parse and a plain model: the same items, or both refuse. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay, lastItemDay, parseDay } from '../../../src/days.js';
import { ports, read, type ReadItem } from './reading.js';

const names = ['orig_code', 'dest_code', 'day', 'price'];
const known = new Set(ports.map((port) => port.code));
const code = fc.constantFrom(...known);
const day = fc.integer({ min: 0, max: lastItemDay }).map(formatDay);
const price = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map(String);

const odd = fc.constantFrom(
  '',
  '0',
  '-1',
  '1e3',
  ' 7',
  '2021-02-30',
  '2060-01-01',
  'CN"GZ',
  'CN,GZ',
  'CN\nGZ',
);
/** Nearly always good, or no generated file would be. */
const but = (good: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 150, arbitrary: good }, { weight: 1, arbitrary: odd });

const row = fc.record({
  orig_code: but(code),
  dest_code: but(code),
  day: but(day),
  price: but(price),
  quoted: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});
const file = fc.record({
  order: fc.shuffledSubarray(names, { minLength: 4, maxLength: 4 }),
  rows: fc.array(row, { maxLength: 12 }),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\ufeff'),
  lastEnds: fc.boolean(),
  /** Something put in anywhere: where, and what. */
  damage: fc.option(
    fc.tuple(fc.nat(), fc.constantFrom('"', '""', ',', '\n', '\r', '\r\n', '\n\n', ' ', 'x', '"\n', '",')),
    { freq: 2 },
  ),
});
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

const quote = (text: string, always: boolean): string =>
  always || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

function write({ order, rows, lineEnd, mark, lastEnds, damage }: File): string {
  const lines = rows.map((row) =>
    order
      .map((name, index) => quote(row[name as keyof typeof row] as string, row.quoted[index] ?? false))
      .join(','),
  );
  const text = [order.join(','), ...lines].join(lineEnd) + (lastEnds ? lineEnd : '');
  if (!damage) return mark + text;
  const at = damage[0] % (text.length + 1);
  return mark + text.slice(0, at) + damage[1] + text.slice(at);
}

/** What csv-parse makes of it, by the rules of a batch; undefined where it is refused. */
function model(text: string): ReadItem[] | undefined {
  let records: string[][];
  try {
    // A blank last line is no fault here, and a CR is a line end at the end of all.
    const ended = text.endsWith('\r') ? `${text}\n` : text;
    const whole = ended.replace(/(\n|^)\r?\n$/, '$1');
    records = parse(whole, { bom: true, record_delimiter: ['\r\n', '\n'] });
  } catch {
    return undefined;
  }
  const [header = [], ...rows] = records;
  if (header.toSorted().join() !== names.toSorted().join() || rows.length === 0) return undefined;
  const items: ReadItem[] = [];
  for (const row of rows) {
    const [origin = '', destination = '', dayText = '', priceText = ''] = names.map(
      (name) => row[header.indexOf(name)] ?? '',
    );
    const day = /^\d{4}-\d\d-\d\d$/.test(dayText) ? (parseDay(dayText) ?? -1) : -1;
    const price = /^[1-9]\d*$/.test(priceText) ? Number(priceText) : 0;
    const good =
      known.has(origin) && known.has(destination) && origin !== destination && day >= 0 && day <= lastItemDay;
    if (!good || price < 1 || price > 2 ** 31 - 1) return undefined;
    items.push({ origin, destination, day, price });
  }
  return items;
}

test('the same items as csv-parse, or both refuse, however the file is cut into chunks', () => {
  let taken = 0;
  fc.assert(
    fc.property(file, fc.array(fc.nat(400), { maxLength: 5 }), (made, cuts) => {
      const text = write(made);
      const bytes = Buffer.from(text);
      const found = read(
        bytes,
        { format: 'csv' },
        cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
      );
      const expected = model(text);
      expect(found.total === 0 ? found.items : undefined).toEqual(expected);
      if (expected) taken++;
    }),
    { numRuns: 4_000 },
  );
  expect(taken).toBeGreaterThan(500);
});
