import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { faultLine } from '../../src/cli/batch-texts.js';
import { formatOf, packingOf, unpackHead } from '../../src/cli/submit/format.js';
import { describeProgress, duration } from '../../src/cli/submit/progress.js';

test('what a file is, by its first bytes', () => {
  const cases: [string, string][] = [
    ['', 'csv'],
    ['orig_code,dest_code,day,price\n', 'csv'],
    ['\uFEFF"price",day', 'csv'],
    ['{"orig_code":"A"', 'ndjson'],
    ['\uFEFF \n {"price":1}', 'ndjson'],
    ['{"items":1}', 'ndjson'],
    [' [', 'json'],
    ['{\n  "prices" : [', 'json'],
  ];
  for (const [text, format] of cases) expect(formatOf(Buffer.from(text)), text).toBe(format);
});

test('gzip is recognised, and looked into where only its beginning is there', () => {
  const packed = gzipSync('{"price":1}\n'.repeat(100_000), { level: 0 });
  expect(packingOf(packed)).toBe('gzip');
  expect(packingOf(Buffer.from('orig_code'))).toBeUndefined();
  expect(packingOf(Buffer.from([0x1f]))).toBeUndefined();
  expect(formatOf(unpackHead(packed.subarray(0, 1_000), 'gzip'))).toBe('ndjson');
  expect(unpackHead(Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'gzip')).toHaveLength(0);
});

test('the place of a fault, and nothing that moves a cursor', () => {
  const fault = {
    line: 3,
    column: 7,
    field: 'price',
    code: 'price_invalid',
    message: "'1\n\x1b' no",
    value: '1',
  };
  expect(faultLine('a.csv', 'csv', fault)).toBe("a.csv:3:7: '1\\u000a\\u001b' no\n");
  expect(faultLine('a.json', 'json', fault)).toBe("a.json: item 3: '1\\u000a\\u001b' no\n");
  expect(faultLine('a.json', 'json', { ...fault, code: 'json_syntax' })).toMatch(/^a\.json:3:7: /);
});

test('progress in words', () => {
  const half = { sent: 50e6, size: 100e6, milliseconds: 10_000 };
  expect(describeProgress(half)).toBe('sent 50 of 100 MB (50 %), 10 s left');
  expect(describeProgress({ ...half, lines: 1e6 })).toBe(
    'sent 50 of 100 MB (50 %), 100,000 items/s, 10 s left',
  );
  expect(describeProgress({ ...half, milliseconds: 100 })).toBe('sent 50 of 100 MB (50 %)');
  expect([duration(99), duration(101), duration(7_230)]).toEqual(['99 s', '2 min', '2 h 1 min']);
});
