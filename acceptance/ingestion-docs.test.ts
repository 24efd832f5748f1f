/** Runs every example of docs/ingestion.md, and compares its table of faults with that of docs/errors.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runExamples } from './documents.js';
import { root } from './support.js';

const text = readFileSync(join(root, 'docs', 'ingestion.md'), 'utf8');

test('every example of docs/ingestion.md does what it says', async () => {
  expect(await runExamples('ingestion.md')).toBeGreaterThan(15);
}, 120_000);

test('it names every fault that docs/errors.md explains, and no other', () => {
  const errors = readFileSync(join(root, 'docs', 'errors.md'), 'utf8').split('## Faults of a batch')[1] ?? '';
  const explained = [...errors.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, code]) => code);
  const faults = /^## Faults$([^]*?)^## /m.exec(text)?.[1] ?? '';
  const rows = faults.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
  const named = rows.flatMap((row) => [...row.matchAll(/`([a-z0-9_]+)`/g)].map(([, code]) => code));
  expect(explained.length).toBeGreaterThan(20);
  expect(named.toSorted()).toEqual(explained.toSorted());
});
