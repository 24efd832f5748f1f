/** Runs every example of docs/querying.md. */
import { expect, test } from 'vitest';
import { runExamples } from './documents.js';

test('every example of docs/querying.md does what it says', async () => {
  expect(await runExamples('querying.md')).toBeGreaterThan(7);
}, 120_000);
