import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { limits } from '../../src/http/limits.js';
import { listen } from '../../src/http/listen.js';
import { importContent } from '../../src/ingest/import.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withServer } from '../support/server.js';

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';

/** Sends bytes as they are; resolves with all that comes back until the server ends the connection. */
const send = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });

test('live while the process runs; ready while the database answers and nobody said stop, else 503 with the reason', () =>
  withDatabase(async (test) => {
    const lifecycle = { stopping: false };
    await withServer(
      test,
      async (server) => {
        expect((await server.inject({ url: '/health/live' })).json()).toEqual({ status: 'live' });
        expect((await server.inject({ url: '/health/ready' })).json()).toEqual({
          status: 'ready',
          revision: 0,
        });
        lifecycle.stopping = true;
        const stopping = await server.inject({ url: '/health/ready' });
        expect(stopping.statusCode).toBe(503);
        expect(stopping.json()).toMatchObject({ code: 'stopping' });
        expect((await server.inject({ url: '/health/live' })).statusCode).toBe(200);
        expect((await server.inject({ url: question })).headers.connection).toBe('close');
        lifecycle.stopping = false;
        await test.query('drop schema fairway cascade');
        expect((await server.inject({ url: '/health/ready' })).json()).toMatchObject({
          status: 503,
          code: 'schema_missing',
        });
      },
      { lifecycle },
    );
  }));

test('metrics count requests by route and status, rows and bytes, waits, hits, the revision, and whether the database is up', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      for (let times = 0; times < 3; times++) await server.inject({ url: question });
      await server.inject({ url: '/rates' });
      await server.inject({ url: '/nothing/here?x=1' });
      await server.inject({ url: '/ports/ZZZZZ' });
      const { body } = await server.inject({ url: '/metrics' });
      const value = (name: string): number | undefined => {
        const line = body.split('\n').find((text) => text.startsWith(`${name} `));
        return line === undefined ? undefined : Number(line.slice(name.length));
      };
      expect(value('fairway_http_requests_total{route="/rates",method="GET",status="200"}')).toBe(3);
      expect(value('fairway_http_requests_total{route="/rates",method="GET",status="400"}')).toBe(1);
      expect(value('fairway_http_requests_total{route="none",method="GET",status="404"}')).toBe(1);
      expect(value('fairway_http_requests_total{route="/ports/:code",method="GET",status="404"}')).toBe(1);
      expect(value('fairway_http_request_duration_seconds_count{route="/rates"}')).toBe(4);
      expect(value('fairway_answer_cache_total{outcome="hit"}')).toBe(1);
      expect(value('fairway_answer_cache_total{outcome="miss"}')).toBe(2);
      expect(value('fairway_revision')).toBe(1);
      expect(value('fairway_database_up')).toBe(1);
      expect(value('fairway_read_rows_total')).toBeGreaterThan(3);
      expect(value('fairway_read_bytes_total')).toBeGreaterThan(100);
      expect(value('fairway_pool_connections{state="total"}')).toBeGreaterThan(0);
      expect(value('fairway_pool_waiting')).toBe(0);
      expect(value('fairway_pool_wait_seconds_count')).toBeGreaterThan(2);
      expect(value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    });
  }));

test('metrics say that the database is down rather than fail with it', () =>
  withDatabase(
    (test) =>
      withServer(test, async (server) => {
        const { statusCode, body } = await server.inject({ url: '/metrics' });
        expect(statusCode).toBe(200);
        expect(body).toMatch(/^fairway_database_up 0$/m);
      }),
    { empty: true },
  ));

test('a request that the database does not answer in time gets a 503, and its connection is not used again', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(
      test,
      async (server) => {
        await test.database.transaction(async (client) => {
          await client.query('lock table fairway.batches in access exclusive mode');
          const answer = await server.inject({ url: question });
          expect(answer.statusCode).toBe(503);
          expect(answer.headers['retry-after']).toBe('1');
          expect(answer.json()).toMatchObject({ code: 'database_timeout' });
        });
        expect((await server.inject({ url: question })).statusCode).toBe(200);
        expect(test.events.map((event) => event.kind)).not.toContain('database-lost');
      },
      { requestMilliseconds: 150 },
    );
  }));

test('a change of a place that is not through in time is a 503, and is done by repeating it', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(
      test,
      async (server) => {
        const put = () =>
          server.inject({ method: 'PUT', url: '/ports/CCCCC', payload: { name: 'Ccc', parent: 'asia' } });
        await test.database.transaction(async (client) => {
          await client.query('select revision from fairway.head for update');
          expect((await put()).json()).toMatchObject({ status: 503, code: 'database_timeout' });
        });
        expect((await put()).json()).toMatchObject({ parent: 'asia', revision: 2 });
      },
      { requestMilliseconds: 150 },
    );
  }));

test('every answer has the security headers and its request id; data may not run or be framed', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      for (const url of ['/rates', '/nothing', '/health/live', '/metrics', '/%ff', '/openapi.json']) {
        const { headers } = await server.inject({ url });
        expect(headers['x-content-type-options'], url).toBe('nosniff');
        expect(headers['content-security-policy'], url).toContain("default-src 'none'");
        expect(headers['request-id'], url).toMatch(/^[0-9a-f-]{36}$/);
      }
      const events = test.events.filter((event) => event.kind === 'request');
      expect(events).toHaveLength(6);
      const answer = await server.inject({ url: '/rates' });
      expect(answer.json()).toMatchObject({ request_id: answer.headers['request-id'] });
    }),
  ));

test('what is too large or no request at all is refused with a problem document', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const port = Number(new URL(await listen(server, '127.0.0.1', 0)).port);
      const long = 'x'.repeat(limits.addressCharacters);
      expect((await server.inject({ url: `/rates?x=${long}` })).json()).toMatchObject({
        code: 'url_too_long',
        status: 414,
      });
      const large = { name: 'x'.repeat(limits.bodyBytes), parent: 'asia' };
      expect((await server.inject({ method: 'PUT', url: '/ports/AA', payload: large })).json()).toMatchObject(
        { status: 413 },
      );
      const asked = (headers: string) => send(port, `GET / HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
      expect(await asked(`x: ${'y'.repeat(limits.headerBytes)}\r\n`)).toMatch(
        /^HTTP\/1.1 431 .*"code":"headers_too_large"/s,
      );
      expect(await send(port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"bad_request"/s);
      expect(await asked('connection: close\r\n')).toMatch(/^HTTP\/1.1 200 /);
      const post = await server.inject({
        method: 'PUT',
        url: '/ports/AA',
        payload: '<x/>',
        headers: { 'content-type': 'text/xml' },
      });
      expect(post.json()).toMatchObject({ status: 415 });
      const cut = await server.inject({
        method: 'PUT',
        url: '/ports/AA',
        payload: '{"name":',
        headers: { 'content-type': 'application/json' },
      });
      expect(cut.json()).toMatchObject({ status: 400 });
    }),
  ));

test('a body that does not come in time is answered with 408', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const { requestMilliseconds } = limits;
      limits.requestMilliseconds = 100;
      try {
        const port = Number(new URL(await listen(server, '127.0.0.1', 0)).port);
        const begun =
          'PUT /ports/AA HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{"name"';
        expect(await send(port, begun)).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s);
      } finally {
        limits.requestMilliseconds = requestMilliseconds;
      }
    }),
  ));

test('OpenAPI lists every route but the pages, each with its problems; rates say how long the database took', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      const { paths } = (await server.inject({ url: '/openapi.json' })).json<{
        paths: Record<string, object>;
      }>();
      expect(Object.keys(paths).sort()).toEqual([
        '/batches',
        '/batches/{id}',
        '/batches/{id}/errors',
        '/batches/{id}/parts',
        '/batches/{id}/parts/{part}',
        '/batches/{id}/publish',
        '/health/live',
        '/health/ready',
        '/metrics',
        '/ports',
        '/ports/{code}',
        '/rates',
        '/rates/changes',
        '/rates/query',
        '/rates/sources',
        '/regions',
        '/regions/{slug}',
        '/revisions',
      ]);
      expect((await server.inject({ url: question })).headers['server-timing']).toMatch(/^db;dur=\d/);
    });
  }));
