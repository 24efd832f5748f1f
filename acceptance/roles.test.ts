/** The program in its roles: two processes that only answer, with a role that may only SELECT, beside one that loads. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { expect, test } from 'vitest';
import {
  answers,
  interrupt,
  killNow,
  readmeQuestion,
  root,
  run,
  start,
  until,
  withFolder,
  type Running,
} from './support.js';

const threads = ({ child }: Running): number => readdirSync(`/proc/${child.pid}/task`).length;

/** The statements by which the documentation makes a role that may only read. */
function readerStatements(): string {
  const text = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  const block = /^### A role that may only read$[^]*?^```sql\n([^]*?)^```$/m.exec(text)?.[1];
  if (block === undefined) throw new Error('docs/operations.md makes no role that may only read');
  return block;
}

async function ask(url: string, method = 'GET'): Promise<{ status: number; code?: string }> {
  const response = await fetch(url, method === 'POST' ? { method, body: 'a' } : { method });
  const text = await response.text();
  if (response.ok) return { status: response.status };
  return { status: response.status, code: (JSON.parse(text) as { code: string }).code };
}

interface Roles {
  readers: Running[];
  ingest: Running;
  folder: string;
  /** Of the database's owner. */
  client: Client;
  query: (text: string) => Promise<Record<string, unknown>[]>;
}

/** Two readers and one that loads, over one database. */
const withRoles = (work: (roles: Roles) => Promise<void>): Promise<void> =>
  withFolder(async (data) => {
    const ingest = await start({ FAIRWAY_DATA_DIR: data }, ['up', '--role', 'ingest']);
    const all = [ingest];
    const details = JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8')) as ClientConfig;
    const client = await connected(details);
    const observer = await connected(details);
    try {
      await client.query(readerStatements());
      // A reader that rolled up or collected would begin with one of these, and fail.
      await client.query(
        `revoke execute on function pg_try_advisory_lock(bigint), pg_try_advisory_xact_lock(bigint) from public`,
      );
      const url = `postgresql://fairway_reader:change-me@${details.host}:${details.port}/${details.database}`;
      for (let readers = 0; readers < 2; readers++)
        all.unshift(await start({ DATABASE_URL: url }, ['serve', '--role', 'read']));
      const readers = all.slice(0, -1);
      const query: Roles['query'] = async (text) =>
        (await observer.query<Record<string, unknown>>(text)).rows;
      await work({ readers, ingest, folder: dirname(data), client, query });
      for (const running of all) expect(await interrupt(running)).toBe(0);
      // What readers tried to write would have failed. Who stops the server may see it go.
      for (const { output } of readers) expect(output()).not.toMatch(/"level":(40|50)/);
      expect(ingest.output()).not.toMatch(/"level":50/);
    } finally {
      await Promise.all([client.end(), observer.end()]);
      // Where the test failed they still run.
      for (const { child } of all)
        if (child.exitCode === null && child.signalCode === null) killNow(child.pid);
    }
  });

async function connected(details: ClientConfig): Promise<Client> {
  const client = new Client(details);
  // The server ends before its clients do.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

test('readers answer with a role that may only SELECT, and refuse writes; what loads refuses questions', () =>
  withRoles(async ({ readers, ingest, folder, query }) => {
    for (const { url } of readers) {
      expect(await answers(url)).toBe(true);
      for (const path of ['/', '/docs', '/openapi.json', '/ports?limit=1', '/health/ready', '/metrics'])
        expect(await ask(url + path), path).toEqual({ status: 200 });
      // Questions, though they come as a POST; this one is no JSON.
      expect(await ask(`${url}/rates/query`, 'POST')).toMatchObject({ status: 415 });
      for (const [method, path] of [
        ['POST', '/batches'],
        ['GET', '/batches'],
        ['GET', '/batches/1/errors'],
        ['PUT', '/ports/ABCDE'],
        ['DELETE', '/batches/1'],
      ] as const)
        expect(await ask(url + path, method), path).toEqual({ status: 421, code: 'wrong_role' });
    }
    expect(await ask(`${ingest.url}/rates/query`, 'POST')).toEqual({ status: 421, code: 'wrong_role' });
    for (const path of [readmeQuestion, '/', '/ports'])
      expect(await ask(ingest.url + path), path).toEqual({ status: 421, code: 'wrong_role' });
    for (const path of ['/batches', '/health/ready', '/metrics'])
      expect(await ask(ingest.url + path), path).toEqual({ status: 200 });

    const file = join(folder, 'prices.csv');
    writeFileSync(file, `orig_code,dest_code,day,price\n${'CNGGZ,EETLL,2021-01-31,5\n'.repeat(997)}`);
    const quiet = readers.map(threads);
    const before = threads(ingest);
    const sent = await run(['submit', file, '--json'], { FAIRWAY_URL: ingest.url });
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    const { revision } = JSON.parse(sent.stdout) as { revision: number };
    for (const { url } of readers) {
      const answer = await fetch(`${url}${readmeQuestion}&min_revision=${revision}`);
      expect(await answer.text()).toContain('"count":1000,"day":"2021-01-31"');
    }
    const refused = await run(['submit', file], { FAIRWAY_URL: readers[0]?.url ?? '' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('send batches and changes of places to one with the role ingest');
    // The thread that reads a batch stays for the next one; a reader has none, and one pool alone.
    expect(threads(ingest)).toBeGreaterThan(before);
    expect(readers.map(threads)).toEqual(quiet);
    const pools = await query(
      "select count(*)::integer as backends from pg_stat_activity where usename = 'fairway_reader'",
    );
    expect(Number(pools[0]?.['backends'])).toBeLessThanOrEqual(2 * 8);
  }));

test('the rollups are moved by the process that loads, whoever published, and by no reader', () =>
  withRoles(async ({ readers, client, query }) => {
    const rolled = async (): Promise<boolean> =>
      (await query('select from fairway.rollup_state w join fairway.head h using (revision)')).length === 1;
    await until(rolled, 30_000, 'the sample is rolled up');
    // Who loads has to wait, so that all readers find the rollups behind.
    await client.query('begin');
    await client.query('lock table fairway.rollups, fairway.rollup_state in share mode');
    // Somebody else withdraws everything, and ends before anything is rolled up.
    await query(`with next as (update fairway.head set revision = revision + 1 returning revision),
      made as (insert into fairway.revisions (revision, reason) select revision, 'test' from next)
      update fairway.batches set state = 'withdrawn', withdrawn_revision = next.revision from next`);
    for (const { url } of readers) {
      const answer = await fetch(url + readmeQuestion, { signal: AbortSignal.timeout(5_000) });
      expect(await answer.text()).toContain('{"count":null,"day":"2021-01-31"');
    }
    expect(await rolled()).toBe(false);
    await client.query('commit');
    await until(rolled, 30_000, 'what another process did is rolled up');
    expect(await query('select count(*)::integer as rows from fairway.rollups')).toEqual([{ rows: 0 }]);
  }));
