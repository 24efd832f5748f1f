/** Questions that take an API key: nothing about rates and places goes out without one, whichever way it is asked. */
import { expect, test } from 'vitest';
import { createKey, revokeKey } from '../../src/access/keys.js';
import { Readers } from '../../src/access/readers.js';
import { FairwayError } from '../../src/errors.js';
import { listen } from '../../src/http/listen.js';
import type { Server, ServerOptions } from '../../src/http/server.js';
import { importContent } from '../../src/ingest/import.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import { withServer } from '../support/server.js';

const range = { date_from: '2021-01-01', date_to: '2021-01-02' };
const question = `/rates?${String(new URLSearchParams(range))}&orig_code=AAAAA&dest_code=BBBBB`;
const many = JSON.stringify({ questions: [{ ...range, origin: 'AAAAA', destination: 'BBBBB' }] });

const questions: [method: string, path: string][] = [
  ['GET', question],
  ['HEAD', question],
  ['GET', `${question}&format=csv`],
  ['GET', `${question}&min_revision=1`],
  ['GET', '/rates?'],
  ['POST', '/rates/query'],
  ['GET', '/rates/changes?since=0'],
  ['GET', '/rates/sources?origin=AAAAA&destination=BBBBB&day=2021-01-01'],
  ['GET', '/revisions'],
  ['GET', '/ports'],
  ['GET', '/ports/AAAAA'],
  ['GET', '/regions'],
  ['GET', '/regions/asia'],
];
const open = ['/', '/docs', '/openapi.json', '/health/live', '/health/ready', '/metrics'];

type Ask = (
  path: string,
  secret?: string,
  method?: string,
  headers?: Record<string, string>,
) => Promise<Response>;

/** Over a real socket, for the way ahead of the router. */
const withKeys = (
  work: (ask: Ask, test: TestDatabase, server: Server) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(
      test,
      async (server) => {
        const address = await listen(server, '127.0.0.1', 0);
        const ask: Ask = (path, secret, method = 'GET', headers = {}) =>
          fetch(address + path, {
            method,
            headers: {
              ...headers,
              ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
              ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
            },
            ...(method === 'POST' ? { body: many } : {}),
          });
        await work(ask, test, server);
      },
      { readKeys: 'required', ...options },
    );
  });

test('without a key every question is a 401, kept answers too; what tells how the service is stays open', () =>
  withKeys(async (ask, { database }) => {
    const { secret } = await createKey(database, 'desk', ['read']);
    // By the third the answer is kept.
    for (let times = 0; times < 3; times++) await (await ask(question, secret)).text();
    const kept = await ask(question, secret);
    expect(kept.headers.get('server-timing')).toBe('cache');
    expect(kept.headers.get('cache-control')).toMatch(/^private,/);
    const etag = kept.headers.get('etag') ?? '';
    expect((await ask(question, secret, 'GET', { 'if-none-match': etag })).status).toBe(304);
    for (const [method, path] of questions)
      for (const wrong of [undefined, 'fairway_made-up']) {
        const refused = await ask(path, wrong, method, { 'if-none-match': etag });
        expect(refused.status, `${method} ${path}`).toBe(401);
        expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(refused.headers.get('cache-control')).toBe('no-store');
        if (method !== 'HEAD') expect(await refused.json()).toMatchObject({ code: 'unauthenticated' });
      }
    for (const path of open) expect((await ask(path)).status, path).toBe(200);
  }));

test('any key may ask; one that may only read writes nothing', () =>
  withKeys(
    async (ask, { database }, server) => {
      const { secret } = await createKey(database, 'desk', ['read']);
      const other = await createKey(database, 'acme', ['ingest']);
      for (const [method, path] of questions) {
        const sources = path.startsWith('/rates/sources');
        const bad = path === '/rates?';
        expect((await ask(path, secret, method)).status, path).toBe(sources ? 403 : bad ? 400 : 200);
        expect((await ask(path, other.secret, method)).status, path).toBe(bad ? 400 : 200);
      }
      const headers = { authorization: `Bearer ${secret}` };
      for (const [method, url] of [
        ['POST', '/batches'],
        ['GET', '/batches'],
        ['DELETE', '/batches/1'],
        ['PUT', '/ports/AAAAA'],
      ] as const)
        expect((await server.inject({ method, url, headers })).statusCode, url).toBe(403);
    },
    { writes: 'keys' },
  ));

test('where writing is open it stays so', () =>
  withKeys(async (_ask, _test, server) => {
    const payload = { name: 'A', parent: 'asia' };
    expect((await server.inject({ method: 'PUT', url: '/ports/AAAAA', payload })).statusCode).toBe(200);
    expect((await server.inject({ url: '/batches' })).statusCode).toBe(200);
  }));

test.for(['optional', 'required'] as const)(
  'the database away, keys %s: who was there before has what is kept, whoever else only where none is needed',
  (readKeys) =>
    withDatabase(async (test) => {
      await importContent(test.database, textSource(dumpText()));
      const { secret } = await createKey(test.database, 'desk', ['read']);
      const unseen = await createKey(test.database, 'new', ['read']);
      await withPostgresProxy(test, (proxy) =>
        withServer(
          { ...test, database: proxy.database },
          async (server) => {
            const ask = (secret: string) =>
              server.inject({ url: question, headers: { authorization: `Bearer ${secret}` } });
            for (let times = 0; times < 3; times++) await ask(secret);
            proxy.refuse();
            proxy.cut();
            await expect
              .poll(async () => (await ask(secret)).headers['rates-stale'])
              .toBe('database_unavailable');
            const answer = await ask(unseen.secret);
            expect(answer.statusCode).toBe(readKeys === 'required' ? 503 : 200);
          },
          { staleSeconds: 600, readKeys },
        ),
      );
    }),
);

test('a key is looked up where questions go, then at the primary; it counts for ten seconds without a look, and while nobody can look', () =>
  withDatabase((primary) =>
    withDatabase(async (standby) => {
      const { key, secret } = await createKey(primary.database, 'desk', ['read']);
      const other = await createKey(primary.database, 'other', ['read']);
      let [now, gone] = [0, false];
      const options = {
        reads: standby.database,
        primary: primary.database,
        staleMilliseconds: 60_000,
        away: () => (gone ? new FairwayError('database_unavailable', 'away') : undefined),
      };
      const readers = new Readers(options, () => now);
      const find = (secret: string) => readers.find(`Bearer ${secret}`, {});
      expect(await readers.find(undefined, {})).toBeUndefined();
      expect(await find('fairway_x')).toBeUndefined();
      expect(await find(secret)).toBe(key.id);
      gone = true;
      now = 60_000;
      expect(await find(secret)).toBe(key.id);
      await expect(find(other.secret)).rejects.toMatchObject({ code: 'database_unavailable' });
      now++;
      await expect(find(secret)).rejects.toMatchObject({ code: 'database_unavailable' });
      gone = false;
      expect(await find(secret)).toBe(key.id);
      await revokeKey(primary.database, key.id);
      now += 9_999;
      expect(await find(secret)).toBe(key.id);
      now++;
      expect(await find(secret)).toBeUndefined();
    }),
  ));
