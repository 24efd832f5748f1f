// npm run drill -- NAME: a drill a file, named by the failure. Exit code 0: the promise held; 1: broken; 2: wrong use.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPostgres } from '../scripts/with-postgres.mjs';

const drills = {
  'torn-batch': './torn-batch.mjs',
  'kill-service': './kill-service.mjs',
  'stalled-loader': './stalled-loader.mjs',
  prove: './prove.mjs',
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...words] = process.argv.slice(2);

if (!Object.hasOwn(drills, name ?? '')) {
  process.stderr.write(
    `usage: npm run drill -- DRILL; there is ${Object.keys(drills).join(', ')}; see drills/README.md\n`,
  );
  process.exitCode = 2;
} else {
  const { run } = await import(drills[name]);
  try {
    // What proves the drills makes its own copy of the checkout.
    process.exitCode = await (name === 'prove'
      ? run(words, root)
      : withPostgres(root, (on) => run(words, on)));
  } catch (error) {
    const wrongUse = String(error?.code).startsWith('ERR_PARSE_ARGS') || error?.wrongUse === true;
    process.stderr.write(`drill ${name}: ${wrongUse ? error.message : (error?.stack ?? error)}\n`);
    // A drill that could not be carried out has shown nothing: neither held nor broken.
    process.exit(wrongUse ? 2 : 3);
  }
}
