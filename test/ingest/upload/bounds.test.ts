/** What a batch may cost when everything about it is wrong or large. */
import { expect, test } from 'vitest';
import { read } from './reading.js';

const header = 'orig_code,dest_code,day,price\n';
const good = 'CNGGZ,EETLL,2021-01-01,5\n';
const item = '{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":5}';
const places = (text: string, format: 'csv' | 'ndjson' | 'json', cuts: number[] = []): string[] =>
  read(Buffer.from(text), { format }, cuts).faults.map(
    ({ line, column, code }) => `${line}:${column} ${code}`,
  );

test('every fault is counted, the first are kept, in order of place', () => {
  const bad = Array.from({ length: 1_000 }, (_, index) => `X${index},CNGGZ,2021-02-30,0\n`).join('');
  const found = read(Buffer.from(header + bad), { format: 'csv', maximumFaults: 100 });
  expect(found.total).toBe(3_000);
  expect(found.counts).toEqual({ port_unknown: 1_000, day_invalid: 1_000, price_outside: 1_000 });
  expect(found.faults).toHaveLength(100);
  expect(found.faults.slice(0, 4).map(({ line, column }) => [line, column])).toEqual([
    [2, 1],
    [2, 10],
    [2, 21],
    [3, 1],
  ]);
  expect(found.items).toEqual([]);
});

test('a message names what was meant', () => {
  const found = read(Buffer.from(`${header}CNGGX,EETLL,2021-01-01,5\n`), { format: 'csv' });
  expect(found.faults[0]).toMatchObject({ value: 'CNGGX', line: 2, column: 1, field: 'orig_code' });
  expect(found.faults[0]?.message).toMatch(/^unknown port 'CNGGX' \(did you mean CNGGZ/);
});

test('a value is cut at 80 characters and has no NUL', () => {
  const found = read(Buffer.from(`${header}${'ö'.repeat(200)},A\0B,2021-01-01,5\n`), { format: 'csv' });
  expect(found.faults.map((fault) => fault.value)).toEqual(['ö'.repeat(80), 'A␀B']);
});

test('many lines that are all bad keep no more than they are asked to', () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `X${index},Y${index},2021-02-30,x\n`).join('');
  const bytes = Buffer.from(header + lines);
  const found = read(bytes, { format: 'csv', maximumFaults: 1_000 });
  expect(found.total).toBe(400_000);
  expect(found.faults).toHaveLength(1_000);
});

test.for([
  ['csv', header + 'x'.repeat(65_537) + `\n${good}`, ['2:1 line_too_long']],
  ['csv', header + 'x'.repeat(300_000), ['2:1 line_too_long']],
  ['csv', 'x'.repeat(65_537) + `\n${good}`, ['1:1 line_too_long']],
  ['csv', `${header}"CNGGZ\n${good.repeat(4_000)}X\n`, ['2:1 quote_unclosed', '4003:1 port_unknown']],
  ['ndjson', `{"a":"${'x'.repeat(65_537)}"}\n${item}\n`, ['1:1 line_too_long']],
  ['json', `[${item},{"a":"${'x'.repeat(65_537)}"},${item}]`, ['2:1 line_too_long']],
] as const)('%s: a line that is too long is no more than a fault', ([format, text, expected]) => {
  const odd = places(text, format).filter((place) => !/field_missing|line_blank/.test(place));
  expect(odd).toEqual(expected);
  const cuts = Array.from({ length: Math.floor(text.length / 5_000) }, (_, index) => (index + 1) * 5_000);
  expect(places(text, format, cuts)).toEqual(places(text, format));
});

test('quotes opened on every line cost one look ahead each', () => {
  const text = header + `"${good}`.repeat(50_000);
  expect(read(Buffer.from(text), { format: 'csv' }).counts).toEqual({ quote_unclosed: 50_000 });
});

test('a document of nested brackets is a fault, not an overflow', () => {
  expect(places('['.repeat(60_000), 'json')).toEqual(['1:60001 json_syntax']);
  expect(places(`${'['.repeat(30_000)}\n${item}\n`, 'ndjson')).toEqual(['1:30001 json_syntax']);
});

test('a JSON document above 64 MiB is refused', () => {
  const bytes = Buffer.alloc(64 * 1024 * 1024 + 1, ' ');
  bytes.write('[');
  expect(read(bytes, { format: 'json' }, [1_000]).faults.map((fault) => fault.code)).toEqual([
    'json_too_large',
  ]);
});

test('the count declared outside of the batch is checked, and zero items are none', () => {
  expect(read(Buffer.from(header + good), { format: 'csv', declaredItems: 1 }).total).toBe(0);
  expect(read(Buffer.from(header + good), { format: 'csv', declaredItems: 2 }).faults).toEqual([
    {
      line: 3,
      column: 1,
      field: null,
      code: 'count_differs',
      message: '2 items were declared, 1 came',
      value: '2',
    },
  ]);
  expect(read(Buffer.from('[]'), { format: 'json', declaredItems: 0 }).counts).toEqual({ batch_empty: 1 });
});
