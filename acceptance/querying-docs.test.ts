/** Runs every example of docs/querying.md. */
import { test } from 'vitest';
import { runExamples } from './documents.js';

test('every example of docs/querying.md does what it says', () => runExamples('querying.md', 8), 120_000);
