import { expect, test } from 'vitest';
import { structureFaults } from '../../scripts/structure.mjs';

const faultsOf = (path: string, text: string): string[] => structureFaults([{ path, text }]);

test.each([
  ['src/ingest/a.ts', "import { x } from '../query/rates.js';", /ingest must not import query/],
  ['src/query/a.ts', "import { x } from '../ingest/pack.js';", /query must not import ingest/],
  ['src/database/a.ts', "import type { X } from '../http/server.js';", /database must not import http/],
  ['src/errors.ts', "import { x } from './cli/context.js';", /base must not import cli/],
  ['src/ingest/a.ts', "import fastify from 'fastify';", /only http imports fastify/],
  ['src/http/routes/a.ts', 'const text = `select price from fairway.items`;', /SQL stands in sql.ts/],
  [
    'src/ingest/a.ts',
    "import {\n  publishRevision,\n  anyBatch,\n} from './sql.js';",
    /publishRevision changes what is visible/,
  ],
])('a fault is named with its file and line: %s', (path, text, message) => {
  const faults = faultsOf(path, text);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(message);
  expect(faults[0]).toMatch(/^src\/[a-z/]+\.ts:1: /);
});

test('what is allowed is no fault', () => {
  expect(faultsOf('src/ingest/publish.ts', "import { publishRevision } from './sql.js';")).toEqual([]);
  expect(faultsOf('src/query/sql.ts', 'const text = `select 1`;')).toEqual([]);
});
