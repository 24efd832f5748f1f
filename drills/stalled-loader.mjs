// stalled-loader: of several processes on one database one stops in the middle of a batch (SIGSTOP: a machine that hangs)
// until its lease is over, another one collects or takes over, then the first wakes. Each batch has one effect, whole.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { csvOf, itemsOf } from './support/batches.mjs';
import { Client, until } from './support/client.mjs';
import { deliver } from './support/delivery.mjs';
import { Findings, Ledger } from './support/ledger.mjs';
import { makePlaces } from './support/load.mjs';
import { readOptions } from './support/options.mjs';
import { freePort, Service, signal, withDatabase, withFolder } from './support/service.mjs';
import { collect, keep, progress, reconcile, tell } from './support/verdict.mjs';

const patience = 60_000;
const scenes = { publisher: publisherStalls, loader: loaderStalls };

/** @param {string[]} words @param {string} root */
export function run(words, root) {
  const options = readOptions(words, {}, { scene: ['all', ...Object.keys(scenes)] });
  const chosen = Object.entries(scenes).filter(([name]) => ['all', name].includes(options.scene));
  return withFolder(async (folder) => {
    const data = join(folder, 'data');
    const ledgers = join(folder, 'ledgers');
    mkdirSync(ledgers);
    const log = join(folder, 'service.log');
    const services = [];
    for (const _ of ['first', 'second'])
      services.push(new Service({ root, data, log, port: await freePort() }));
    const [first, second] = services;
    const findings = new Findings();
    const counts = { scenes: 0, stalls: 0, published: 0 };
    try {
      await first.start();
      await makePlaces(() => first.url);
      for (const [name, scene] of chosen) {
        const ledger = new Ledger(ledgers, name);
        const scenery = { data, first, second, findings, counts, hands: handsOf(ledger, findings) };
        await withDatabase(data, (database) => scene({ ...scenery, database }));
        ledger.close();
        await second.stop();
        counts.scenes++;
      }
      await collect(first, data);
      const compared = await reconcile({ root, data, ledgers, findings });
      progress('');
      keep(ledgers, options.keep);
      return tell({ drill: 'stalled-loader', options, findings, result: { counts, ...compared } });
    } finally {
      for (const service of services) await service.stop();
    }
  });
}

/** @param {Ledger} ledger @param {Findings} findings */
function handsOf(ledger, findings) {
  const end = performance.now() + 2 * patience;
  return (/** @type {Service} */ service) => ({
    client: new Client(() => service.url),
    ledger,
    findings,
    givenUp: () => performance.now() > end,
  });
}

/** @typedef {{ data: string, first: Service, second: Service, findings: Findings, counts: Record<string, number>, hands: ReturnType<typeof handsOf>, database: import('pg').Client }} Scene */

/**
 * The publisher stalls with all its locks held and part of its batch already committed; another process starts, whose
 * collector finds a lease that is over. It must leave the batch alone: its row is locked.
 * @param {Scene} scene
 */
async function publisherStalls({ data, first, second, hands, database, counts, findings }) {
  const what = { op: 'publish', key: 'publisher-stalls', spec: specOf(0, 21_000) };
  await database.query('begin');
  await database.query('select from fairway.head for update');
  const told = deliver(hands(first), what);
  // The revision is what a publish takes last: it waits for us, having checked everything.
  await withDatabase(data, (watch) =>
    until('the publisher waits for the head', patience, () =>
      exists(
        watch,
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%update fairway.head%'`,
      ),
    ),
  );
  signal(first.pid, 'SIGSTOP');
  counts.stalls++;
  progress('the publisher is stopped; waiting for its lease to be over');
  await database.query('rollback');
  await leaseOver(database);
  await startCollector(second, database);
  signal(first.pid, 'SIGCONT');
  await settle(await told, { what, hands, second, counts, findings });
}

/**
 * The loader stalls in the middle of the body; another process collects what it has loaded, takes the key over and
 * publishes. The first wakes and loads on: nothing of that may stay.
 * @param {Scene} scene
 */
async function loaderStalls({ first, second, hands, database, counts, findings }) {
  const what = { op: 'publish', key: 'loader-stalls', spec: specOf(1, 46_000) };
  const body = [...csvOf(what.spec)];
  const bytes = body.reduce((sum, chunk) => sum + chunk.length, 0);
  /** @type {(value?: unknown) => void} */
  let wake = () => undefined;
  const awake = new Promise((resolve) => (wake = resolve));
  const headers = { 'content-type': 'text/csv', 'idempotency-key': what.key };
  const { client, ledger } = hands(first);
  const stalled = client.send('POST', '/batches', {
    headers,
    body,
    // Two parts of a million are read, and the first of them loaded, when the rest is held back.
    beforeChunk: async (sent) => {
      if (sent > bytes * 0.95) await awake;
    },
  });
  const parts = `select from fairway.parts p join fairway.attempts a on a.id = p.attempt
    join fairway.batches b on b.id = a.batch where b.attempt is distinct from a.id`;
  await until('a part is loaded', patience, () => exists(database, parts));
  signal(first.pid, 'SIGSTOP');
  counts.stalls++;
  progress('the loader is stopped; waiting for its lease to be over');
  await leaseOver(database);
  await startCollector(second, database);
  await until('what it loaded is collected', patience, async () => !(await exists(database, parts)));
  const told = await deliver(hands(second), what);
  signal(first.pid, 'SIGCONT');
  wake();
  const { status, lost, body: answer } = await stalled;
  const line = ledger.write({ note: 'the loader that was stalled', status, lost, code: answer?.code });
  if (status !== 409 || answer?.code !== 'in_progress')
    findings.add(
      status === 200 || status === 201 ? 'once' : 'answers',
      `${line}: a loader that was taken over was told ${lost ?? status}`,
    );
  await settle(told, { what, hands, second, counts, findings });
}

/**
 * It is published, and the same key says the same elsewhere.
 * @param {import('./support/delivery.mjs').Outcome} told
 * @param {Pick<Scene, 'hands' | 'second' | 'counts' | 'findings'> & { what: any }} scene
 */
async function settle(told, { what, hands, second, counts, findings }) {
  if (told.verdict !== 'published') return;
  counts.published++;
  const again = await deliver(hands(second), { ...what, op: 'repeat' });
  if (again.id !== told.id || again.revision !== told.revision)
    findings.add('once', `${again.line}: batch ${told.id} elsewhere is batch ${again.id}`);
}

/** @param {number} group @param {number} count @returns {import('./support/batches.mjs').Spec} */
function specOf(group, count) {
  /** @type {import('./support/batches.mjs').Spec} */
  const spec = { group, count, price: 5_000 + group, shift: 70, order: 'rounds', gzip: false };
  if (itemsOf(spec) < 1_000_000) throw new Error('it must have a part that is loaded before the last');
  return spec;
}

/** @param {import('pg').Client} database @param {string} query */
const exists = async (database, query) => (await database.query(`${query} limit 1`)).rows.length > 0;

/** @param {import('pg').Client} database */
const leaseOver = (database) =>
  until('the lease is over', patience, () =>
    exists(
      database,
      `select from fairway.attempts a join fairway.batches b on b.id = a.batch
       where a.state = 'loading' and a.lease_until < clock_timestamp() and b.attempt is distinct from a.id`,
    ),
  );

/**
 * Starts a process and waits until its collector has been round: the last thing it says to the database is unlock.
 * @param {Service} service
 * @param {import('pg').Client} database
 */
async function startCollector(service, database) {
  const { rows } = await database.query('select clock_timestamp() as now');
  await service.start();
  await until('the collector was round', patience, async () => {
    const { rows: found } = await database.query(
      `select from pg_stat_activity where application_name = 'fairway' and backend_start > $1 and query like '%pg_advisory_unlock%'`,
      [rows[0].now],
    );
    return found.length > 0;
  });
}
