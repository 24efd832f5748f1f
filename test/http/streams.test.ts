/** Answers that are streamed: for as long as somebody reads them, and no longer. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parseDay } from '../../src/days.js';
import { listen } from '../../src/http/listen.js';
import { createServer } from '../../src/http/server.js';
import { putPlace } from '../../src/ingest/places.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { withDump } from '../support/answers.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { defaults, withServer } from '../support/server.js';

const first = parseDay('2021-01-01') ?? 0;
const lanes = Array.from({ length: 900 }, (_, index): TestItem => ['AAAAA', `P${index}`, first, 10]);
const pagesOf = ({ events }: TestDatabase): number =>
  events.filter((event) => event.kind === 'statement-read' && event.statement === 'changed-segments').length;

test('HEAD of what is streamed reads no more than it tells', () =>
  withDatabase(async (test) => {
    await publishItems(test.database, lanes);
    await rollUp(test.database, () => undefined);
    await withServer(test, async (server) => {
      const address = await listen(server, '127.0.0.1', 0);
      const headers = { accept: 'application/x-ndjson' };
      const { status } = await fetch(`${address}/rates/changes?since=0`, { method: 'HEAD', headers });
      expect(status).toBe(200);
      // What was read of the second page, were there one, would be read by now.
      await server.inject({ url: '/rates/changes?since=0&format=csv' });
      expect(pagesOf(test)).toBe(1 + Math.ceil(lanes.length / 32));
    });
  }));

test('many answers wait for who reads them slowly, longer than a request may wait for the database', () =>
  withDatabase(async (test) => {
    await publishItems(test.database, lanes);
    await rollUp(test.database, () => undefined);
    await withServer(
      test,
      async (server) => {
        const address = new URL(await listen(server, '127.0.0.1', 0));
        const questions = Array.from({ length: 1_000 }, (_, index) => ({
          date_from: '2021-01-01',
          date_to: '2022-01-31',
          orig_code: 'AAAAA',
          dest_code: `P${index % 900}`,
        }));
        const body = JSON.stringify({ questions });
        const socket = connect(Number(address.port), address.hostname);
        socket.write(
          `POST /rates/query HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        let text = '';
        socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        await new Promise((resolve) => socket.once('data', resolve));
        socket.pause();
        await delay(3_000);
        socket.resume();
        await new Promise((resolve) => socket.once('close', resolve));
        expect(text).toContain('HTTP/1.1 200 OK');
        expect(text.endsWith('0\r\n\r\n')).toBe(true);
      },
      { requestMilliseconds: 2_000 },
    );
  }));

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';
const places = '/rates/sources?origin=AAAAA&destination=BBBBB&day=2021-01-01';
test.each(['/revisions', '/rates/changes?since=0', '/ports', places])(
  'what %s showed is in the answers that follow',
  (url) =>
    withDatabase(async (test) => {
      const quiet = (): void => undefined;
      await putPlace(test.database, { kind: 'region', code: 'north', name: 'N', parent: null }, quiet);
      for (const code of ['AAAAA', 'BBBBB'])
        await putPlace(test.database, { kind: 'port', code, name: code, parent: 'north' }, quiet);
      await withServer(test, async (server) => {
        for (let times = 0; times < 10; times++) {
          for (let asked = 0; asked < 3; asked++) await server.inject(question);
          const { revision } = await publishItems(test.database, [['AAAAA', 'BBBBB', first, 10]]);
          expect((await server.inject(url)).headers['rates-revision']).toBe(String(revision));
          expect((await server.inject(question)).headers['rates-revision']).toBe(String(revision));
        }
      });
    }),
);

test('of questions sent one behind the other none goes on when their client has gone', () =>
  withDump((test) =>
    withPostgresProxy(test, async (proxy) => {
      const { observe: _, ...wired } = defaults(proxy.database, test.emit);
      const server = createServer({ ...wired, cacheBytes: 0 });
      const region = (to: number): string =>
        `/rates?date_from=2021-01-01&date_to=2021-01-0${to}&origin=asia&destination=europe`;
      const statuses = (): number[] =>
        test.events.flatMap((event) => (event.kind === 'request' ? [event.status] : []));
      try {
        const address = new URL(await listen(server, '127.0.0.1', 0));
        await fetch(address.origin + region(1));
        proxy.hold();
        const socket = connect(Number(address.port), address.hostname);
        socket.write([2, 3, 4].map((to) => `GET ${region(to)} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
        await expect.poll(() => proxy.database.statistics()).toMatchObject({ total: 3, idle: 0 });
        socket.destroy();
        await expect.poll(statuses).toEqual([200, 499, 499, 499]);
      } finally {
        proxy.release();
        await server.close();
      }
    }),
  ));
