/**
 * Ahead of the router: a GET of /rates, which is nearly all of the traffic, goes straight to its answer, without
 * routing, validation and hooks. In goes a request, out comes whether it was taken. Log, metrics, limits, headers and
 * errors are those of every other route, and the route is there for whatever is not taken here. What it is worth:
 * bench/results.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'fast-querystring';
import type { RenderedAnswer } from '../query/answers.js';
import { parseQuestion, type RawQuery } from './question.js';
import { limits } from './limits.js';
import { problemAnswer } from './render-error.js';
import { rateHeaders } from './routes/rates.js';
import { securityHeaders } from './security-headers.js';
import type { Services } from './server.js';

const prefix = '/rates?';

export type DirectServices = Pick<Services, 'answers' | 'lifecycle' | 'emit' | 'deadline'>;

export function answerDirectly(
  services: DirectServices,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url = '' } = request;
  // A stop has its own header, a body would have to be read, and the router says what is wrong with an address.
  if (method !== 'GET' || !url.startsWith(prefix) || url.length > limits.addressCharacters) return false;
  if (services.lifecycle.stopping || hasBody(request)) return false;
  const id = randomUUID();
  const begun = performance.now();
  response.once('close', () =>
    services.emit({
      kind: 'request',
      id,
      method,
      url,
      route: '/rates',
      status: response.statusCode,
      milliseconds: performance.now() - begun,
    }),
  );
  const kept = services.answers.kept(url);
  if (kept) {
    send(response, id, kept, 'cache');
    return true;
  }
  const question = () => parseQuestion(parse(url.slice(prefix.length)) as RawQuery);
  services.answers.answer(url, question, { deadline: services.deadline() }).then(
    (answer) => {
      closeWhenStopping(services, response);
      send(response, id, answer, `db;dur=${(performance.now() - begun).toFixed(2)}`);
    },
    (error: unknown) => {
      closeWhenStopping(services, response);
      const { status, headers, body } = problemAnswer(error, id, services.emit);
      response.writeHead(status, headers).end(body);
    },
  );
  return true;
}

function send(response: ServerResponse, id: string, answer: RenderedAnswer, timing: string): void {
  response.writeHead(200, {
    ...securityHeaders,
    'request-id': id,
    ...rateHeaders(answer.revision, timing),
    'content-length': answer.bytes,
  });
  response.end(answer.body);
}

/** A request that began before a stop must not leave its connection waiting for another. */
function closeWhenStopping({ lifecycle }: DirectServices, response: ServerResponse): void {
  if (lifecycle.stopping) response.setHeader('connection', 'close');
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
