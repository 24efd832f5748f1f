// The schema as it stands after all migrations, as text: `--write` makes migrations/schema.txt, `--check` compares.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { acquireEmbedded } from '../dist/database/embedded/index.js';
import { migrate } from '../dist/database/migrate.js';

const snapshot = join(dirname(dirname(fileURLToPath(import.meta.url))), 'migrations', 'schema.txt');

const queries = [
  `select format('table %s.%s: %s %s%s%s', table_schema, table_name, column_name, data_type,
     case is_nullable when 'NO' then ' not null' else '' end, coalesce(' default ' || column_default, case is_identity when 'YES' then ' identity' else '' end))
   from information_schema.columns where table_schema = 'fairway' order by table_name, ordinal_position`,
  `select format('constraint %s: %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
   where connamespace = 'fairway'::regnamespace and contype in ('c', 'f', 'p', 'u') order by 1`,
  `select indexdef from pg_indexes where schemaname = 'fairway' order by 1`,
  `select format('view %s: %s', viewname, definition) from pg_views where schemaname = 'fairway' order by 1`,
  `select pg_get_functiondef(oid) from pg_proc where pronamespace = 'fairway'::regnamespace order by 1`,
];

const dataDir = mkdtempSync(join(tmpdir(), 'fairway-schema-'));
// Open to the server's user, or root's cluster would lie in the system's folder and stay there.
chmodSync(dataDir, 0o755);
const server = await acquireEmbedded({ dataDir, emit: () => undefined });
let text = '';
try {
  const client = new pg.Client(server.connection);
  await client.connect();
  await client.query('begin');
  await migrate(client);
  for (const query of queries) {
    const { rows } = await client.query({ text: query, rowMode: 'array' });
    text += `${rows.map((row) => row[0]).join('\n')}\n\n`;
  }
  await client.end();
} finally {
  await server.release();
  rmSync(dataDir, { recursive: true, force: true });
}

if (process.argv.includes('--write')) writeFileSync(snapshot, text);
else if (readFileSync(snapshot, 'utf8') !== text) {
  process.stderr.write('migrations/schema.txt is stale: run npm run schema\n');
  process.exitCode = 1;
}
