/**
 * Ahead of the router: a question to /rates whose answer is kept goes out without routing, parsing or hooks. In goes a
 * request, out comes whether it was answered. Log, metrics, limits and headers are those of every other answer: the
 * address was held against the limits when its answer was first computed. Measured in bench/read.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { rateHeaders } from './routes/rates.js';
import { securityHeaders } from './security-headers.js';
import type { Services } from './server.js';

const prefix = '/rates?';

export function answerKept(
  { answers, lifecycle, emit }: Pick<Services, 'answers' | 'lifecycle' | 'emit'>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url = '' } = request;
  // A stop has its own headers, and a body would have to be read.
  if (method !== 'GET' || !url.startsWith(prefix) || lifecycle.stopping || hasBody(request)) return false;
  const kept = answers.kept(url);
  if (!kept) return false;
  const begun = performance.now();
  const id = randomUUID();
  response.writeHead(200, {
    ...securityHeaders,
    'request-id': id,
    ...rateHeaders(kept.revision, 'cache'),
    'content-length': kept.bytes,
  });
  response.end(kept.body, () =>
    emit({
      kind: 'request',
      id,
      method,
      url,
      route: '/rates',
      status: 200,
      milliseconds: performance.now() - begun,
    }),
  );
  return true;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
