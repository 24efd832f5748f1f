import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairwayError } from '../../src/errors.js';
import { copyFields } from '../../src/ingest/parse/copy-row.js';
import { checkReferences } from '../../src/ingest/validate.js';
import { dumpText, readDumpText, smallContent } from '../support/dump.js';

const refusal = (text: string): { line: number | undefined; message: string } => {
  try {
    readDumpText(text);
  } catch (error) {
    expect(error).toBeInstanceOf(FairwayError);
    expect((error as FairwayError).code).toBe('dump_invalid');
    return { line: (error as FairwayError).line, message: (error as FairwayError).message };
  }
  throw new Error('the dump was taken');
};

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

test('the rows come out with their lines, wherever the chunks are cut', () => {
  const text = dumpText({
    ports: [
      ['AAAAA', 'Måløy\\ttab \\\\ back', 'asia'],
      ['BBBBB', 'Bbb', 'baltic'],
      ['CCCCC', 'C', 'asia'],
    ],
  });
  const whole = readDumpText(text);
  expect(whole.items).toEqual([
    'AAAAA BBBBB 18628 100',
    'AAAAA BBBBB 18628 200',
    'AAAAA BBBBB 18628 301',
    'AAAAA BBBBB 18629 7',
    'CCCCC BBBBB 18629 70000',
  ]);
  expect(whole.places[0]).toBe(`${lineOf(text, 'AAAAA')} port AAAAA Måløy\ttab \\ back asia`);
  for (let size = 1; size < 80; size++) expect(readDumpText(text, size)).toEqual(whole);
});

test('CRLF line ends read the same', () => {
  expect(readDumpText(dumpText().replaceAll('\n', '\r\n')).items).toEqual(readDumpText(dumpText()).items);
});

test('the content hash does not depend on the order of rows, but on every row and how often it comes', () => {
  const { prices } = smallContent;
  const { hash } = readDumpText(dumpText());
  fc.assert(
    fc.property(fc.shuffledSubarray(prices, { minLength: prices.length }), (shuffled) => {
      expect(readDumpText(dumpText({ prices: shuffled })).hash).toBe(hash);
    }),
  );
  expect(readDumpText(dumpText({ prices: [...prices, ...prices] })).hash).not.toBe(hash);
  expect(readDumpText(dumpText({ prices: prices.slice(1) })).hash).not.toBe(hash);
  expect(
    readDumpText(dumpText({ prices: [...prices, ...prices.slice(0, 1), ...prices.slice(0, 1)] })).hash,
  ).not.toBe(hash);
});

test('a dump cut off anywhere is refused, never taken in part', () => {
  const text = dumpText();
  const end =
    text.indexOf('-- PostgreSQL database dump complete') + '-- PostgreSQL database dump complete'.length;
  for (let length = 0; length < end; length++)
    expect(refusal(text.slice(0, length)).message, `${length} bytes`).toMatch(/line \d+/);
});

const price = (row: string): string => dumpText().replace('CCCCC\tBBBBB\t2021-01-02\t70000', row);
const at = lineOf(dumpText(), 'CCCCC\tBBBBB\t2021');

test.each([
  ['a fifth field', price('CCCCC\tBBBBB\t2021-01-02\t7\t8'), at, /4 fields expected, 5 found/],
  ['a missing field', price('CCCCC\tBBBBB\t2021-01-02'), at, /4 fields expected, 3 found/],
  ['no such day', price('CCCCC\tBBBBB\t2021-02-30\t7'), at, /'2021-02-30' is not a date/],
  ['Arabic digits', price('CCCCC\tBBBBB\t2021-01-02\t٧'), at, /not a whole number/],
  ['a fraction', price('CCCCC\tBBBBB\t2021-01-02\t7.5'), at, /'7.5' is not a whole number/],
  ['price zero', price('CCCCC\tBBBBB\t2021-01-02\t0'), at, /price 0 is outside 1 to 2147483647/],
  ['price too high', price('CCCCC\tBBBBB\t2021-01-02\t2147483648'), at, /outside 1 to 2147483647/],
  [
    'a price of 30 digits',
    price(`CCCCC\tBBBBB\t2021-01-02\t${'9'.repeat(30)}`),
    at,
    /outside 1 to 2147483647/,
  ],
  ['day outside the window', price('CCCCC\tBBBBB\t2059-01-01\t7'), at, /2059-01-01 is outside/],
  ['null', price('CCCCC\t\\N\t2021-01-02\t7'), at, /dest_code is missing/],
  [
    'INSERT',
    dumpText().replace('SET statement', 'INSERT INTO public.prices VALUES (1);\nSET statement'),
    5,
    /without --inserts/,
  ],
  [
    'another table',
    dumpText().replace('COPY public.regions', 'COPY public.users'),
    lineOf(dumpText(), 'COPY public.regions'),
    /not a COPY of public.ports/,
  ],
  [
    'a column missing',
    dumpText().replace('(slug, name, parent_slug)', '(slug, name)'),
    lineOf(dumpText(), 'COPY public.regions'),
    /no column parent_slug/,
  ],
  ['something else', 'orig_code,dest_code,day,price\n', 1, /does not begin like pg_dump/],
  ['nothing', '', 1, /empty/],
  ['the custom format', 'PGDMP\x01\x0e', 1, /custom format/],
  [
    'the dump twice',
    dumpText() + dumpText(),
    lineOf(dumpText(), 'COPY public.ports') + dumpText().split('\n').length - 1,
    /second time/,
  ],
  [
    'a port twice',
    dumpText().replace('BBBBB\tBbb', 'AAAAA\tBbb'),
    lineOf(dumpText(), 'BBBBB\tBbb'),
    /'AAAAA' comes a second time/,
  ],
])('refused with its line: %s', (_name, text, line, message) => {
  const refused = refusal(text);
  expect(refused.message).toMatch(message);
  expect(refused.line).toBe(line);
});

test('bytes that are not UTF-8 are refused', () => {
  expect(() => copyFields(Buffer.from([0x41, 0xff, 9, 0x42]), 0, 4)).toThrow(/not UTF-8/);
});

const place = (code: string, parent: string | null, line = 1) => ({ code, name: code, parent, line });

test('a cycle of regions is refused and shown', () => {
  const regions = [place('a', 'b', 11), place('b', 'c', 12), place('c', 'a', 13), place('d', null, 14)];
  expect(() => checkReferences({ ports: [], regions, lanes: [] })).toThrow(
    'line 11: regions: a → b → c → a is a cycle',
  );
});

test('an unknown parent and an unknown port are refused with their line', () => {
  expect(() => checkReferences({ ports: [place('P', 'nowhere', 9)], regions: [], lanes: [] })).toThrow(
    /^line 9: .*'nowhere'/,
  );
  expect(() => checkReferences({ ports: [], regions: [place('r', 'nowhere', 8)], lanes: [] })).toThrow(
    /^line 8: .*'nowhere'/,
  );
  expect(() =>
    checkReferences({ ports: [], regions: [], lanes: [{ origin: 'X', destination: 'Y', line: 7 }] }),
  ).toThrow(/^line 7: .*'X'/);
});
