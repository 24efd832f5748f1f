/** Costly questions are paid from a client's budget, and given up when the client has gone. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
import { Budgets } from '../../src/http/budget.js';
import type { Server } from '../../src/http/server.js';
import { importContent } from '../../src/ingest/import.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withServer } from '../support/server.js';

const withBudget = (
  budgetRows: number,
  work: (server: Server, test: TestDatabase) => Promise<void>,
  proxies = 0,
) =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, (server) => work(server, test), {
      budgetRows,
      proxies,
      // Longer than a test: what is given up is not given up for being late.
      requestMilliseconds: 120_000,
    });
  });

/** Two lanes over eleven years: 264 rows. */
const costly = '/rates?date_from=2015-01-01&date_to=2025-12-13&origin=AAAAA&destination=europe';
const ordinary = '/rates?date_from=2015-01-01&date_to=2025-12-13&origin=AAAAA&destination=BBBBB';

const status = async (server: Server, url: string, headers: Record<string, string> = {}) =>
  (await server.inject({ url, headers })).statusCode;

test('a budget is spent, may be overdrawn once, and fills up by the minute', () => {
  let now = 0;
  const budgets = new Budgets(600, () => now);
  budgets.charge('a', 500);
  budgets.charge('a', 700);
  expect(() => budgets.charge('a', 1)).toThrowError(/ask again in 61 seconds/);
  budgets.charge('b', 1);
  now = 59_000;
  expect(() => budgets.charge('a', 1)).toThrowError(/share/);
  now = 61_000;
  budgets.charge('a', 1);
  now = 1e9;
  budgets.charge('a', 1);
  expect(() => budgets.charge('a', 600)).not.toThrow();
  const unlimited = new Budgets(0);
  for (let ask = 0; ask < 100; ask++) unlimited.charge('a', 1e9);
});

test('whoever has spent its budget is told when to ask again; ordinary questions go on', () =>
  withBudget(200, async (server) => {
    expect(await status(server, costly)).toBe(200);
    const refused = await server.inject({ url: costly.replace('AAAAA', 'asia') });
    expect(refused.json()).toMatchObject({ status: 429, code: 'budget_spent' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(10);
    expect(await status(server, `${costly}&format=csv`)).toBe(429);
    expect(await status(server, ordinary)).toBe(200);
    const questions = [
      { date_from: '2015-01-01', date_to: '2025-12-13', origin: 'AAAAA', destination: 'europe' },
    ];
    const many = await server.inject({ method: 'POST', url: '/rates/query', payload: { questions } });
    expect(many.statusCode).toBe(429);
    // Said before the first answer goes out, though there were some to send before.
    const long = { date_from: '2015-01-01', date_to: '2025-12-13', origin: 'AAAAA', destination: 'BBBBB' };
    const mixed = { questions: [long, long, long, ...questions] };
    expect((await server.inject({ method: 'POST', url: '/rates/query', payload: mixed })).statusCode).toBe(
      429,
    );
  }));

test('a client is its address, behind trusted proxies what they saw, or its key', () =>
  withBudget(
    200,
    async (server, { database }) => {
      const from = (list: string) => status(server, costly, { 'x-forwarded-for': list });
      expect(await from('10.0.0.1')).toBe(200);
      expect(await from('10.0.0.1')).toBe(429);
      // What the client wrote itself does not make it another one.
      expect(await from('10.9.9.9, 10.0.0.1')).toBe(429);
      expect(await from('10.0.0.1, 10.0.0.2')).toBe(200);
      const { secret } = await createKey(database, 'acme', ['ingest']);
      const withKey = (authorization: string) =>
        status(server, costly, { 'x-forwarded-for': '10.0.0.1', authorization });
      expect(await withKey(`Bearer ${secret}`)).toBe(200);
      expect(await withKey(`Bearer ${secret}`)).toBe(429);
      expect(await withKey('Bearer fairway_made-up')).toBe(429);
    },
    1,
  ));

test('without trusted proxies the header counts for nothing', () =>
  withBudget(200, async (server) => {
    expect(await status(server, costly, { 'x-forwarded-for': '10.0.0.1' })).toBe(200);
    expect(await status(server, costly, { 'x-forwarded-for': '10.0.0.2' })).toBe(429);
  }));

test('ahead of the router as well, however the names are written', () =>
  withBudget(200, async (server) => {
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const ask = async (path: string) => (await fetch(address + path)).status;
    expect(await ask(costly)).toBe(200);
    for (const path of [
      costly.replace('AAAAA', 'asia'),
      costly.replace('origin', 'orig_code'),
      costly.replace('origin', '%6Frigin').replace('destination', 'destin%61tion'),
    ])
      expect(await ask(path), path).toBe(429);
    expect(await ask(ordinary)).toBe(200);
  }));

/** Statements of the service that run just now. */
const running = async ({ query }: TestDatabase): Promise<number> =>
  (
    await query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'fairway' and state = 'active'`,
    )
  ).length;

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
const post = (stats: string[]) => {
  const range = { date_from: '2021-01-01', date_to: '2021-01-31' };
  const body = JSON.stringify({ questions: [{ ...range, origin: 'AAAAA', destination: 'BBBBB' }], stats });
  return `POST /rates/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

test('what moved is paid for by the items that came and went: lines before the first of them, pages one by one', () =>
  withBudget(300, async (server, { database }) => {
    const changes = '/rates/changes?since=0';
    const small = await publishItems(database, [['AAAAA', 'BBBBB', 18_628, 5]]);
    const many = Array.from({ length: 20_000 }, (_, index): TestItem => [
      'AAAAA',
      'BBBBB',
      18_628,
      1 + index,
    ]);
    const { revision } = await publishItems(database, many);
    // 400 rows' worth: more than there is for a minute, which may be once.
    expect(await status(server, `${changes}&format=csv`)).toBe(200);
    for (const ways of [{}, { accept: 'text/csv' }, { accept: 'application/x-ndjson' }]) {
      const refused = await server.inject({ url: changes, headers: ways });
      expect(refused.json()).toMatchObject({ status: 429, code: 'budget_spent' });
    }
    const cursor = Buffer.from(`c${revision}.0`).toString('base64url');
    expect(await status(server, `${changes}&cursor=${cursor}`)).toBe(429);
    // Who keeps up pays nothing, nor does who asks about few.
    expect(await status(server, `/rates/changes?since=${revision}`)).toBe(200);
    expect(await status(server, `${changes}&until=${small.revision}`)).toBe(200);
    expect(await status(server, '/revisions')).toBe(200);
  }));

test('sources of regions are paid for by their lanes', () =>
  withBudget(1, async (server, { database }) => {
    await database.withClient((client) =>
      client.query(
        `insert into fairway.places (kind, code, name, parent, from_revision)
         select 'port', 'X' || to_char(n, 'FM0000'), 'X', 'asia', 1 from generate_series(1, 800) n`,
      ),
    );
    const ask = (origin: string, destination: string) =>
      status(server, `/rates/sources?origin=${origin}&destination=${destination}&day=2021-01-01`);
    expect(await ask('asia', 'asia')).toBe(400);
    expect(await ask('asia', 'BBBBB')).toBe(200);
    expect(await ask('asia', 'BBBBB')).toBe(429);
    expect(await ask('AAAAA', 'BBBBB')).toBe(200);
  }));

test.for([
  ['of a region', 'rollups', get(costly)],
  ['of statistics', 'segments', get(`${ordinary}&stats=median`)],
  ['of many lanes', 'rollups', post([])],
  ['of many with statistics', 'segments', post(['median'])],
  ['of what moved', 'segments', get('/rates/changes?since=0')],
  ['of sources', 'segments', get('/rates/sources?origin=asia&destination=europe&day=2021-01-01')],
  ['of revisions', 'revisions', get('/revisions')],
] as const)('a question %s whose client has gone is given up, in the database too', ([, table, request]) =>
  withBudget(0, async (server, test) => {
    // What shares a statement with others is not given up: it must not wait for segments.
    await rollUp(test.database, test.emit);
    const address = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
    await test.database.transaction(async (client) => {
      await client.query(`lock table fairway.${table} in access exclusive mode`);
      const socket = connect(Number(address.port), address.hostname);
      socket.write(request);
      await expect.poll(() => running(test), { timeout: 20_000 }).toBe(1);
      socket.destroy();
      await expect.poll(() => running(test), { timeout: 20_000 }).toBe(0);
    });
    expect((await fetch(new URL(costly, address))).status).toBe(200);
    // Nothing failed here: it is neither an error in the log nor one that an alert counts.
    expect(test.events.filter(({ kind }) => kind === 'request-failed')).toEqual([]);
    const statuses = test.events.flatMap((event) => (event.kind === 'request' ? [event.status] : []));
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
  }),
);
