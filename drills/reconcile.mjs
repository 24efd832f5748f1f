// Reconciles the ledgers of a drill with the tables, by plain SQL over a connection of its own (PGHOST, PGPORT, …).
// It shares no code with the service or the load: it reads what clients wrote down and what the database holds.
//
// usage: node drills/reconcile.mjs --ledgers FOLDER [--json]; exit code 0: they agree; 1: they do not; 2: wrong use.
import { parseArgs } from 'node:util';
import pg from 'pg';
import { compareAnswers } from './reconcile/answers.mjs';
import { compareBatches } from './reconcile/batches.mjs';
import { readLedgers } from './reconcile/ledgers.mjs';
import { compareHistory } from './reconcile/history.mjs';
import { findLeftovers } from './reconcile/leftovers.mjs';
import { compareRollups } from './reconcile/rollups.mjs';

const mostOfPromise = 5;

async function main() {
  const { values } = parseArgs({
    options: { ledgers: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  if (values.ledgers === undefined)
    throw Object.assign(new Error('--ledgers FOLDER'), { code: 'ERR_PARSE_ARGS' });
  /** @type {{ promise: string, text: string }[]} */
  const findings = [];
  const find = (/** @type {string} */ promise, /** @type {string} */ text) => {
    if (findings.filter((finding) => finding.promise === promise).length < mostOfPromise)
      findings.push({ promise, text });
  };
  const ledgers = readLedgers(values.ledgers, find);
  const client = new pg.Client({ application_name: 'reconcile' });
  await client.connect();
  /** @type {string[]} */
  const skipped = [];
  let checked = {};
  let postgres = '';
  try {
    postgres = (await client.query('show server_version')).rows[0].server_version;
    // One snapshot for all that is compared.
    await client.query('begin isolation level repeatable read read only');
    // Millions of items are added up: in memory, since sorting them on disk took minutes.
    await client.query("set local work_mem = '128MB'");
    await client.query('set local enable_sort = off');
    await client.query('set local jit = off');
    checked = {
      ...(await compareBatches(client, ledgers, find)),
      ...(await findLeftovers(client, find)),
      ...(await compareRollups(client, find, skipped)),
      ...compareAnswers(ledgers, find),
      ...compareHistory(ledgers, find),
    };
    await client.query('rollback');
  } finally {
    await client.end();
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ findings, checked, skipped, postgres })}\n`);
  else {
    for (const [name, count] of Object.entries(checked))
      process.stdout.write(`${name.padEnd(22)} ${count}\n`);
    for (const text of skipped) process.stdout.write(`not checked: ${text}\n`);
    for (const { promise, text } of findings) process.stdout.write(`BROKEN (${promise})  ${text}\n`);
  }
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`reconcile: ${/** @type {Error} */ (error).stack}\n`);
  process.exitCode = String(/** @type {any} */ (error).code).startsWith('ERR_PARSE_ARGS') ? 2 : 3;
}
