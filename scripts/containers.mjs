// npm run containers -- WORD: short words for `docker compose`; whatever follows the word is handed on to it.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const terminal = process.stdin.isTTY && process.stdout.isTTY;
// Services of a profile that is not asked for would otherwise be overlooked.
const all = ['--profile', '*'];
const inPostgres = ['exec', ...(terminal ? [] : ['-T']), 'postgres'];
const secret = (name) => {
  const file = `/run/fairway/admin/${name}`;
  const script = `[ -s ${file} ] || { echo 'there is none yet' >&2; exit 1; }; cat ${file}; echo`;
  return ['exec', '-T', 'postgres', 'sh', '-euc', script];
};

const words = {
  up: ['builds what changed, starts everything, waits until it is ready', 'up', '--build', '--wait'],
  down: ['stops and removes the containers; with -v the data and passwords too', ...all, 'down'],
  logs: ['what they wrote; with -f what they write', ...all, 'logs'],
  psql: ['SQL in the database rates, as postgres', ...inPostgres, 'psql', '-U', 'postgres', '-d', 'rates'],
  status: ['containers, their health and ports', ...all, 'ps', '--all'],
  password: ['prints the password of postgres', ...secret('postgres-password')],
  key: ['prints the first API key', ...secret('api-key')],
};

const usage = () => `Usage: npm run containers -- WORD [what docker compose takes]

${Object.entries(words)
  .map(([word, [explanation]]) => `  ${word.padEnd(10)}${explanation}`)
  .join('\n')}

Side by side:    COMPOSE_PROJECT_NAME=second FAIRWAY_PORT=3001 POSTGRES_PORT=5433 npm run containers -- up
With monitoring: COMPOSE_PROFILES=monitoring npm run containers -- up
From a dump:     FAIRWAY_SEED=rates.sql npm run containers -- up
`;

/** The environment of compose: a dump named by FAIRWAY_SEED, as elsewhere, is to be mounted; the image names its commit. */
function environment() {
  const env = { ...process.env };
  const seed = env.FAIRWAY_SEED;
  if (seed && seed !== 'sample' && seed !== 'none') {
    // npm runs scripts in the project's folder; the path is meant from where the user stands.
    env.FAIRWAY_DUMP = resolve(env.INIT_CWD ?? process.cwd(), seed);
    delete env.FAIRWAY_SEED;
  }
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' });
  if (commit.status === 0) env.REVISION ??= commit.stdout.trim();
  return env;
}

function main([word, ...more]) {
  if (word === undefined || word === 'help' || word === '--help') {
    process.stdout.write(usage());
    return 0;
  }
  if (!Object.hasOwn(words, word)) {
    process.stderr.write(`there is no word '${word}'\n\n${usage()}`);
    return 2;
  }
  const [, ...compose] = words[word];
  const { status, error } = spawnSync('docker', ['compose', ...compose, ...more], {
    cwd: root,
    env: environment(),
    stdio: 'inherit',
  });
  if (error) {
    process.stderr.write(
      error.code === 'ENOENT'
        ? 'there is no docker on this machine: install Docker Engine 20.10 or newer with Compose 2.26 or newer\n'
        : `cannot run docker: ${error.message}\n`,
    );
  }
  return status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
