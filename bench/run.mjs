// npm run bench -- QUESTION: one file a question. Figures are written down only where --save or --out says so.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPostgres } from '../scripts/with-postgres.mjs';

const questions = { read: './read.mjs', scale: './scale.mjs', ingest: './ingest.mjs' };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...words] = process.argv.slice(2);

if (!Object.hasOwn(questions, name ?? '')) {
  process.stderr.write(
    `usage: npm run bench -- QUESTION [--help]; there is ${Object.keys(questions).join(', ')}; see bench/README.md\n`,
  );
  process.exitCode = 2;
} else {
  const { run } = await import(questions[name]);
  try {
    process.exitCode = await withPostgres(root, (on) =>
      run(words, { root: on, results: join(root, 'bench', 'results') }),
    );
  } catch (error) {
    const wrongUse = String(error?.code).startsWith('ERR_PARSE_ARGS') || error?.wrongUse === true;
    process.stderr.write(`bench ${name}: ${wrongUse ? error.message : (error?.stack ?? error)}\n`);
    process.exitCode = wrongUse ? 2 : 1;
  }
}
