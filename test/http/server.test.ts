import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/config.js';
import { importContent } from '../../src/ingest/import.js';
import { dumpFile } from '../../src/ingest/sources.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withServer } from '../support/server.js';

const shared = resolve(process.env['FAIRWAY_SHARED'] ?? join(packageRoot, '..', 'shared'));
const contractThere = existsSync(join(shared, 'contract', 'recorded.ndjson'));

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';

if (contractThere) {
  test('every recorded answer of the original service is given again', () =>
    withDatabase(async (test) => {
      await importContent(test.database, dumpFile(join(shared, 'seed', 'rates.sql')));
      await withServer(test, async (server) => {
        const lines = readFileSync(join(shared, 'contract', 'recorded.ndjson'), 'utf8')
          .trim()
          .split('\n');
        expect(lines.length).toBeGreaterThan(290);
        for (const line of lines) {
          const { path, status, body } = JSON.parse(line) as { path: string; status: number; body: unknown };
          const answer = await server.inject({ url: path });
          expect(answer.statusCode, path).toBe(status === 500 ? 400 : status);
          if (status === 200) expect(answer.json(), path).toEqual(body);
          else expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
        }
      });
    }));
}

test('a bad question is answered with a problem document that names each parameter', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const answer = await server.inject({
        url: '/rates?date_from=2021-02-29&date_to=2021-03-01&orig_code=%00&dest_code=B',
      });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({
        type: 'urn:fairway:error:invalid_parameter',
        status: 400,
        code: 'invalid_parameter',
        errors: [
          {
            parameter: 'date_from',
            message: "there is no day '2021-02-29' in the calendar",
            expected: expect.stringContaining('YYYY-MM-DD') as string,
          },
          { parameter: 'orig_code', message: 'holds a NUL character' },
        ],
      });
    }),
  ));

test('no bad request changes a later answer, and none leaves a transaction open', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      const before = await server.inject({ url: question });
      for (const bad of [
        'date_from=%D9%A2021-01-01',
        'date_from=2021-01-01&orig_code=%FF',
        'orig_code=%00',
        'date_to=9999-99-99',
        '%',
        'date_from=2021-01-01&date_to=2021-01-02&orig_code=%00&dest_code=%00',
      ]) {
        expect((await server.inject({ url: `/rates?${bad}` })).statusCode, bad).toBe(400);
      }
      expect((await server.inject({ url: '/%ff' })).statusCode).toBe(400);
      const after = await server.inject({ url: question });
      expect(after.body).toBe(before.body);
      expect(after.headers['rates-revision']).toBe('1');
      const open = await test.query(
        "select count(*)::integer as count from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
      );
      expect(open[0]?.['count']).toBe(0);
    });
  }));

test('more than 4,000 days is a clear 400', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const ask = (to: string) =>
        server.inject({ url: `/rates?date_from=2010-01-01&date_to=${to}&orig_code=A&dest_code=B` });
      expect((await ask('2020-12-13')).json()).toHaveProperty('rates.length', 4_000);
      expect((await ask('2020-12-14')).json()).toMatchObject({
        status: 400,
        errors: [{ parameter: 'date_to', message: 'the range spans 4001 days' }],
      });
    }),
  ));

test('a connection that the server terminates heals within the same request', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      for (let round = 0; round < 10; round++) {
        expect((await server.inject({ url: question })).statusCode).toBe(200);
        await test.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
        );
        expect((await server.inject({ url: question })).statusCode).toBe(200);
      }
    });
  }));

test('a database without the schema is a 503 that says what to do, and nothing of the inside', () =>
  withDatabase(
    (test) =>
      withServer(test, async (server) => {
        const answer = await server.inject({ url: question });
        expect(answer.statusCode).toBe(503);
        expect(answer.headers['retry-after']).toBe('1');
        expect(answer.json()).toMatchObject({
          code: 'schema_missing',
          detail: expect.stringContaining('fairway migrate') as string,
        });
        expect(answer.body).not.toMatch(/relation|select/i);
      }),
    { empty: true },
  ));
