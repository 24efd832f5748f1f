import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { ask, download, send } from '../../src/cli/client.js';
import { FairwayError } from '../../src/errors.js';

async function withServer(listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const chunk = Buffer.alloc(1 << 16);
const size = 400 * chunk.length;
const body = () => ({ bytes: Readable.from(chunks(), { objectMode: false }), size });
function* chunks() {
  for (let at = 0; at < size; at += chunk.length) yield chunk;
}

test('an answer that comes while the body is being sent is not lost', () =>
  withServer(
    (request, response) => {
      response.writeHead(401, { 'content-type': 'application/problem+json' });
      response.end('{"code":"unauthenticated","detail":"no key"}');
      request.resume();
    },
    async (url) => {
      const answer = await send({ url }, { method: 'POST', path: '/batches', body: body() });
      expect(answer).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    },
  ));

test('a key is sent as bearer, a problem becomes its error, with the faults and Retry-After', () =>
  withServer(
    ({ headers }, response) => {
      const problem = { code: 'overloaded', detail: headers.authorization, errors: [{ line: 1 }] };
      response.writeHead(503, { 'retry-after': '7' }).end(JSON.stringify(problem));
    },
    async (url) => {
      const failed = ask({ url, apiKey: 'secret' }, { path: '/' });
      await expect(failed).rejects.toMatchObject({
        code: 'overloaded',
        message: 'Bearer secret',
        retryAfter: 7,
        faults: [],
      });
    },
  ));

test('what is no Fairway, is silent, or breaks off, is told as such', () =>
  withServer(
    ({ url }, response) => {
      if (url === '/proxy') response.writeHead(502).end('<html>');
      else if (url === '/many') response.writeHead(429).end();
      else if (url === '/other') response.writeHead(302).end();
      else if (url === '/broken') {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{', () => response.destroy());
      }
    },
    async (url) => {
      const codes: [string, string][] = [
        ['/proxy', 'service_unreachable'],
        ['/many', 'overloaded'],
        ['/other', 'bad_request'],
        ['/broken', 'service_unreachable'],
        ['/silent', 'service_unreachable'],
      ];
      for (const [path, code] of codes) {
        const request = { path, silenceMilliseconds: 300 };
        await expect(ask({ url }, request), path).rejects.toMatchObject({ code });
        await expect(
          download({ url }, request, async () => undefined),
          path,
        ).rejects.toMatchObject({ code });
      }
    },
  ));

test('a body that cannot be read is the fault of the body', () =>
  withServer(
    (request) => void request.resume(),
    async (url) => {
      const gone = new FairwayError('file_unreadable', 'it is gone');
      const bytes = new Readable({ read: () => void bytes.destroy(gone) });
      const sent = send({ url }, { method: 'POST', path: '/', body: { bytes, size: 10 } });
      await expect(sent).rejects.toBe(gone);
    },
  ));
