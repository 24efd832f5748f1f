// The end of a drill: the collector has run, reconcile.mjs (a process of its own) has compared, the result is told.
import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './client.mjs';
import { cleanEnvironment, databaseOf, withDatabase } from './service.mjs';

const drills = dirname(dirname(fileURLToPath(import.meta.url)));
const reconcileFile = join(drills, 'reconcile.mjs');
const leaseMilliseconds = 60_000;
const collectMilliseconds = 30_000;

const leftovers = `select count(*)::integer as n from fairway.attempts a join fairway.batches b on b.id = a.batch
  where a.state in ('loading', 'dead') and b.attempt is distinct from a.id`;

/**
 * Restarts the service once no lease runs: it collects when it starts. Whatever is still there after a while is left to
 * reconcile.mjs to find.
 * @param {import('./service.mjs').Service} service
 * @param {string} data
 */
export async function collect(service, data) {
  await withDatabase(data, (database) =>
    until('the leases of loaders that are gone are over', leaseMilliseconds, async () => {
      const { rows } = await database.query(
        `select from fairway.attempts a join fairway.batches b on b.id = a.batch
         where a.state = 'loading' and a.lease_until > clock_timestamp() and b.attempt is distinct from a.id limit 1`,
      );
      return rows.length === 0;
    }),
  );
  await service.stop();
  await service.start();
  await withDatabase(data, (database) =>
    until('the collector has nothing left', collectMilliseconds, async () => {
      const { rows } = await database.query(leftovers);
      return rows[0].n === 0;
    }),
  ).catch(() => undefined);
}

/**
 * Runs reconcile.mjs, then `fairway verify`. Returns what it counted; what it found is added to `findings`.
 * @param {{ root: string, data: string, ledgers: string, findings: import('./ledger.mjs').Findings }} options
 */
export async function reconcile({ root, data, ledgers, findings }) {
  const { host, port, user, password, database } = databaseOf(data);
  const {
    findings: found,
    checked,
    skipped,
    postgres,
  } = await jsonOf([reconcileFile, '--ledgers', ledgers, '--json'], {
    PATH: process.env['PATH'] ?? '',
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  });
  for (const { promise, text } of found) findings.add(promise, text);
  const { faults } = await jsonOf(
    [join(root, 'dist', 'main.js'), 'verify', '--json'],
    cleanEnvironment({ FAIRWAY_DATA_DIR: data }),
  );
  for (const fault of faults) findings.add('rollups', `fairway verify: ${fault}`);
  return { checked, skipped, postgres };
}

/**
 * What a program prints that ends with 0, or with 1 where it found something.
 * @param {string[]} words
 * @param {NodeJS.ProcessEnv} env
 */
async function jsonOf(words, env) {
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stdout.on('data', (piece) => (text += piece));
  child.stderr.on('data', (piece) => (errors += piece));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if ((code !== 0 && code !== 1) || text === '') throw new Error(`${words[0]} ended with ${code}: ${errors}`);
  return JSON.parse(text);
}

/**
 * Says how the drill ended. Returns the exit code.
 * @param {{ drill: string, options: Record<string, any>, findings: import('./ledger.mjs').Findings, result: Record<string, any> }} end
 */
export function tell({ drill, options, findings, result }) {
  const held = findings.total === 0;
  if (options['json']) {
    process.stdout.write(
      `${JSON.stringify({ drill, held, findings: findings.list, found: findings.total, ...result })}\n`,
    );
  } else {
    const facts = { ...result['counts'], ...result['checked'] };
    for (const [name, value] of Object.entries(facts)) process.stdout.write(`${name.padEnd(22)} ${value}\n`);
    for (const skipped of result['skipped'] ?? []) process.stdout.write(`not checked: ${skipped}\n`);
    for (const { promise, text } of findings.list) process.stdout.write(`BROKEN (${promise})  ${text}\n`);
    const verdict = held ? 'the promise held' : `broken, ${findings.total} findings`;
    process.stdout.write(`${drill}: ${verdict}, on PostgreSQL ${result['postgres']}\n`);
  }
  return held ? 0 : 1;
}

/** Keeps the ledgers for whoever wants to look. @param {string} ledgers @param {string | undefined} to */
export function keep(ledgers, to) {
  if (to !== undefined) cpSync(ledgers, to, { recursive: true });
}

/** Progress on a terminal, none in a pipe. @param {string} text */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
