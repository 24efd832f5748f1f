/** What an answer says of itself to caches, and to those who have it already; both ways to it alike. */
import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Server } from '../../src/http/server.js';
import { listen } from '../../src/http/listen.js';
import { importContent } from '../../src/ingest/import.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { publishItems } from '../support/publish.js';
import { withServer } from '../support/server.js';

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';
const large = question.replace('2021-01-02', '2021-12-31');

/** Ahead of the router, through it with a key (which nobody knows), and as CSV. */
const ways: { way: string; path: string; headers: Record<string, string> }[] = [
  { way: 'direct', path: large, headers: {} },
  { way: 'routed', path: large, headers: { authorization: 'Bearer nobody' } },
  { way: 'CSV', path: large, headers: { accept: 'text/csv' } },
];

const served = (work: (address: string, server: Server, publish: () => Promise<number>) => Promise<void>) =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(
      test,
      async (server) =>
        work(await listen(server, '127.0.0.1', 0), server, async () => {
          const { revision } = await publishItems(test.database, [['AAAAA', 'BBBBB', 18_628, 99]]);
          return revision;
        }),
      { staleSeconds: 60 },
    );
  });

test.each(ways)(
  '$way: who has the answer gets 304, and another one once its content changed',
  ({ path, headers }) =>
    served(async (address, _server, publish) => {
      const ask = (known?: string) =>
        fetch(address + path, { headers: { ...headers, ...(known ? { 'if-none-match': known } : {}) } });
      // Computed, computed and kept, kept.
      for (let times = 0; times < 3; times++) {
        const first = await ask();
        expect(first.status).toBe(200);
        const etag = first.headers.get('etag') ?? '';
        expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
        for (const known of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
          const answer = await ask(known);
          expect(answer.status).toBe(304);
          expect(await answer.text()).toBe('');
          for (const name of ['etag', 'cache-control', 'vary', 'rates-revision'])
            expect(answer.headers.get(name), name).toBe(first.headers.get(name));
          expect(answer.headers.get('content-type')).toBeNull();
        }
        expect((await ask('"other", W/"another"')).status).toBe(200);
      }
      const before = (await ask()).headers.get('etag') ?? '';
      const revision = await publish();
      await expect.poll(async () => (await ask(before)).headers.get('rates-revision')).toBe(String(revision));
      const after = await ask(before);
      expect(after.status).toBe(200);
      expect(after.headers.get('etag')).not.toBe(before);
    }),
);

test.each(ways)(
  '$way: one tag for the content however it is packed, which kept answers are once',
  ({ path, headers }) =>
    served(async (address) => {
      const ask = async (encoding: string) => {
        const answer = await fetch(address + path, { headers: { ...headers, 'accept-encoding': encoding } });
        return {
          etag: answer.headers.get('etag'),
          coding: answer.headers.get('content-encoding'),
          text: await answer.text(),
        };
      };
      const plain = await ask('identity');
      for (let times = 0; times < 3; times++)
        for (const coding of ['gzip', 'br']) expect(await ask(coding)).toEqual({ ...plain, coding });
    }),
);

test('packed bodies are those of the plain one', () =>
  served(async (address, server) => {
    const plain = await (await fetch(address + large, { headers: { 'accept-encoding': 'identity' } })).text();
    for (const [coding, unpack] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
    ] as const)
      for (let times = 0; times < 3; times++) {
        const { rawPayload, headers } = await server.inject({
          url: large,
          headers: { 'accept-encoding': coding },
        });
        expect(headers['content-encoding']).toBe(coding);
        expect(unpack(rawPayload).toString()).toBe(plain);
      }
  }));

test('Cache-Control: copies are asked about and may stand in for us; with a key they are private, else never kept', () =>
  served(async (address) => {
    const controlOf = async (path: string, init?: RequestInit) => {
      const answer = await fetch(address + path, init);
      // A body that nobody reads keeps its connection, and the end of the server waits for that.
      await answer.text();
      return answer.headers.get('cache-control');
    };
    expect(await controlOf(question)).toBe('public, max-age=0, stale-if-error=60');
    expect(await controlOf(question, { headers: { authorization: 'Bearer nobody' } })).toBe(
      'private, max-age=0, stale-if-error=60',
    );
    for (const path of [
      '/rates?',
      '/nowhere',
      '/ports',
      '/rates/sources?',
      '/metrics',
      '/health/ready',
      '/revisions',
    ])
      expect(await controlOf(path), path).toBe('no-store');
    const body = {
      questions: [{ origin: 'AAAAA', destination: 'BBBBB', date_from: '2021-01-01', date_to: '2021-01-01' }],
    };
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    expect(await controlOf('/rates/query', init)).toBe('no-store');
  }));

test('without a bound for stale answers no copy may stand in for us', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const { headers } = await server.inject({ url: question });
      expect(headers['cache-control']).toBe('public, max-age=0, must-revalidate');
    }),
  ));

test('questions that differ in min_revision alone share what is kept, which never is of an older revision', () =>
  served(async (address, _server, publish) => {
    const ask = async (revision: number) => {
      const { headers } = await fetch(`${address}${question}&min_revision=${revision}`);
      return [headers.get('server-timing')?.replace(/;.*/, ''), Number(headers.get('rates-revision'))];
    };
    await ask(0);
    await ask(1);
    expect(await ask(1)).toEqual(['cache', 1]);
    const revision = await publish();
    expect(await ask(revision)).toEqual(['db', revision]);
  }));
