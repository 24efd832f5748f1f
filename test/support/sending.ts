/** A request over a real connection, whose body the test sends as it likes. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { listen } from '../../src/http/listen.js';
import type { Server } from '../../src/http/server.js';

export interface Sending {
  sending: ClientRequest;
  answer: Promise<{
    status: number;
    headers: IncomingMessage['headers'];
    body: { code?: string; state?: string };
  }>;
}

/** As CSV, on a connection of its own; the server listens from the first such request on. */
export async function sendTo(
  server: Server,
  { headers, ...where }: { method: string; path: string; headers?: Record<string, string> },
): Promise<Sending> {
  const known = server.server.address();
  const port =
    known !== null && typeof known === 'object'
      ? known.port
      : Number(new URL(await listen(server, '127.0.0.1', 0)).port);
  const sending = request({
    host: '127.0.0.1',
    port,
    agent: false,
    headers: { 'content-type': 'text/csv', ...headers },
    ...where,
  });
  const answer: Sending['answer'] = new Promise((resolve, reject) => {
    sending.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: JSON.parse(text) as { code?: string },
        }),
      );
    });
    sending.on('error', reject);
  });
  answer.catch(() => undefined);
  return { sending, answer };
}
