/** The way ahead of the router gives the answers of the route, over a real socket. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { limits } from '../../src/http/limits.js';
import { listen } from '../../src/http/listen.js';
import { importContent } from '../../src/ingest/import.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withServer } from '../support/server.js';

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** As it is: fetch would clean the address up. */
const ask = (
  address: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    request({ hostname, port, path, headers, method: 'GET' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    })
      .on('error', reject)
      .end(body);
  });

/** What may differ between two answers to one question. */
const comparable = ({ status, headers, body }: Answer) => {
  const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...rest } = headers;
  const text = body.replace(/"request_id":"[^"]*"/, '');
  return {
    status,
    body: text,
    headers: {
      ...rest,
      'request-id': typeof rest['request-id'],
      'server-timing': typeof rest['server-timing'],
    },
  };
};

test('status, headers and body are those of the route, for good questions and bad ones', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      const address = await listen(server, '127.0.0.1', 0);
      for (const path of [
        question,
        question,
        question,
        '/rates?date_from=2021-01-01&date_to=2021-01-02&origin=asia&destination=europe',
        '/rates?date_from=2021-01-01&date_to=2021-01-02&origin=asia&destination=nowhere',
        '/rates?',
        '/rates?date_from=2021-02-30&date_to=x&orig_code=%00&dest_code=',
        `${question}&orig_code=CCCCC`,
        `${question}&x=%zz&y=%ff&date_from`,
        question.replace('AAAAA', '%41AAAA').replace('?', '?&&'),
        question.replace('AAAAA', 'A+A'),
        `${question}&min_revision=1`,
        `${question}&min_revision=2`,
        `${question}&min_revision=x`,
        `/rates?${'x'.repeat(limits.addressCharacters)}`,
      ]) {
        const direct = await ask(address, path);
        const routed = await server.inject({ url: path });
        expect(comparable(direct), path).toEqual(
          comparable({ status: routed.statusCode, headers: routed.headers, body: routed.body }),
        );
      }
      expect((await ask(address, `${question}&f%6Frmat=csv`)).headers['content-type']).toBe(
        'text/csv; charset=utf-8',
      );
      for (const accept of ['text/csv', 'Text/CSV']) {
        const asked = await ask(address, question, { accept });
        expect(asked.headers['content-type'], accept).toBe('text/csv; charset=utf-8');
      }
      // Packed where it is large and the client takes it, small or not asked for as it is.
      for (const [path, encoding] of [
        [question, undefined],
        [question.replace('2021-01-02', '2021-04-30'), 'gzip'],
      ] as const) {
        const plain = await ask(address, path);
        const packed = await fetch(address + path, { headers: { 'accept-encoding': 'gzip' } });
        expect(packed.headers.get('content-encoding') ?? undefined).toBe(encoding);
        expect(packed.headers.get('vary')).toBe('Accept, Accept-Encoding');
        expect(await packed.text()).toBe(plain.body);
      }
    });
  }));

test('the third answer comes from memory, says so, and is counted and logged like any other', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      const address = await listen(server, '127.0.0.1', 0);
      const answers = [
        await ask(address, question),
        await ask(address, question),
        await ask(address, question),
      ];
      expect(answers.map(({ headers }) => String(headers['server-timing']).replace(/=.*/, ''))).toEqual([
        'db;dur',
        'db;dur',
        'cache',
      ]);
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
      const { body } = await server.inject({ url: '/metrics' });
      expect(body).toContain('fairway_http_requests_total{route="/rates",method="GET",status="200"} 3');
      const requests = test.events.filter((event) => event.kind === 'request' && event.route === '/rates');
      expect(requests).toMatchObject(
        answers.map(({ headers }) => ({
          id: headers['request-id'],
          url: question,
          status: 200,
          method: 'GET',
        })),
      );
    });
  }));

test('answers go out in one piece each, in the order of their requests, over one connection, until the client ends it', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, async (server) => {
      const { hostname, port } = new URL(await listen(server, '127.0.0.1', 0));
      const raw = (...requests: string[]): Promise<string> => {
        const socket = connect(Number(port), hostname);
        socket.write(requests.join(''));
        return text(socket);
      };
      const get = (path: string, version = '1.1', headers = ''): string =>
        `GET ${path} HTTP/${version}\r\nhost: x\r\n${headers}\r\n`;
      const other = question.replace('2021-01-02', '2021-01-03');
      const last = get(question, '1.1', 'connection: close\r\n');
      const answers = (await raw(get(question), get(other), get(other), get(question), last)).split(
        /(?=HTTP\/1\.1 )/,
      );
      const bodies = answers.map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4));
      expect(bodies.map((body) => (JSON.parse(body) as { rates: unknown[] }).rates.length)).toEqual([
        2, 3, 3, 2, 2,
      ]);
      const whole =
        /^HTTP\/1\.1 200 OK\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=72\r\n/;
      expect(answers.map((answer) => whole.test(answer))).toEqual([true, true, true, true, false]);
      expect(answers.at(-1)).toContain('\r\nConnection: close\r\n');
      // Whoever does not know keep-alive waits for the end of the connection.
      expect(await raw(get(question, '1.0'))).toContain('\r\nConnection: close\r\n');
    });
  }));

test('while stopping, and for a request with a body, the router answers; connections are told to close', () =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    const lifecycle = { stopping: false };
    await withServer(
      test,
      async (server) => {
        const address = await listen(server, '127.0.0.1', 0);
        expect((await ask(address, question, { 'content-length': '1' }, 'x')).status).toBe(200);
        // A request that is under way when the stop begins.
        const under = test.database.transaction(async (client) => {
          await client.query('lock table fairway.rollups in access exclusive mode');
          const answer = ask(address, question);
          await expect
            .poll(async () => (await test.query('select 1 from pg_locks where not granted')).length)
            .toBeGreaterThan(0);
          lifecycle.stopping = true;
          return { answer };
        });
        const answer = await (await under).answer;
        expect([answer.status, answer.headers['connection']]).toEqual([200, 'close']);
        expect((await ask(address, question)).headers['connection']).toBe('close');
      },
      { lifecycle },
    );
  }));

test('what nobody foresaw is a 500 that says nothing of the inside, and a line in the log', () =>
  withDatabase(async (test) => {
    await withServer(test, async (server) => {
      const address = await listen(server, '127.0.0.1', 0);
      await test.query('alter table fairway.rollups rename column payload to secret_name');
      const answer = await ask(address, question);
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'internal_error' });
      expect(answer.body).not.toMatch(/secret_name|column|select|payload/i);
      expect(test.events).toContainEqual(
        expect.objectContaining({ kind: 'request-failed', id: answer.headers['request-id'] }),
      );
    });
  }));
