import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultCodes } from '../../../src/ingest/parse/faults.js';
import { formatOf, read, type Read } from './reading.js';

const folder = join(import.meta.dirname, 'corpus');
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, string[]>;
const corpus = Object.entries(expected).map(([file, faults]) => ({
  file,
  faults,
  bytes: readFileSync(join(folder, file)),
}));

const told = ({ faults }: Read): string[] =>
  faults.map(({ line, column, field, code }) => `${line}:${column} ${field ?? '-'} ${code}`);

test.for(corpus)('$file', ({ file, faults, bytes }) => {
  const found = read(bytes, { format: formatOf(file) });
  expect(told(found)).toEqual(faults);
  expect(found.total).toBe(faults.length);
  if (faults.length === 0) expect(found.items).toHaveLength(found.came);
});

test.for(corpus)('$file, wherever a chunk ends', ({ file, bytes }) => {
  const format = formatOf(file);
  const whole = read(bytes, { format });
  for (let cut = 1; cut < bytes.length; cut++) expect(read(bytes, { format }, [cut])).toEqual(whole);
  expect(read(bytes, { format }, [...bytes.keys()])).toEqual(whole);
});

test.for(corpus)('$file, cut off anywhere: a verdict, and none that the declared count denies', (entry) => {
  const format = formatOf(entry.file);
  const { came } = read(entry.bytes, { format });
  for (let length = 0; length < entry.bytes.length; length++) {
    const cut = read(entry.bytes.subarray(0, length), { format, declaredItems: came });
    expect(cut.total > 0 || cut.items.length === came, `cut at ${length}`).toBe(true);
  }
});

test('every fault code has a file of its name, but those of large files', () => {
  const made = new Set(['line_too_long', 'json_too_large']);
  const codes = Object.keys(faultCodes).filter((code) => !made.has(code));
  for (const code of codes) {
    const files = Object.keys(expected).filter((file) => file.startsWith(`${code}.`));
    expect(files, code).not.toEqual([]);
    for (const file of files) expect(expected[file]?.join(' '), file).toContain(code);
  }
});

test('docs/errors.md has every fault code with its meaning, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
  const section = text.split('## Faults of a batch')[1] ?? '';
  const documented = [...section.matchAll(/^\| `([a-z_0-9]+)` +\| (.+?) +\|/gm)].map(
    ([, code, meaning]) => `${code}: ${meaning}`,
  );
  expect(documented.toSorted()).toEqual(
    Object.entries(faultCodes)
      .map(([code, meaning]) => `${code}: ${meaning}`)
      .toSorted(),
  );
});
