// The contract as OpenAPI, as text: `--write` makes docs/openapi.json, `--check` compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from '../dist/http/server.js';

const snapshot = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'openapi.json');

// Nothing is asked of the database, and nobody connects.
const server = createServer({
  database: {},
  emit: () => undefined,
  metrics: { contentType: 'text/plain', text: async () => '' },
  lifecycle: { stopping: false },
  writes: 'keys',
  cacheBytes: 0,
  requestMilliseconds: 1_000,
});
await server.ready();
const text = `${JSON.stringify(server.swagger(), null, 2)}\n`;
await server.close();

if (process.argv.includes('--write')) writeFileSync(snapshot, text);
else if (readFileSync(snapshot, 'utf8') !== text) {
  process.stderr.write('docs/openapi.json is stale: run npm run openapi\n');
  process.exitCode = 1;
}
