/**
 * Ahead of the router: a GET of /rates, which is nearly all of the traffic, goes straight to its answer, without
 * routing, validation and hooks. In goes a request, out comes whether it was taken. Log, metrics, limits, headers and
 * errors are those of every other route, and the route is there for whatever is not taken here. What it is worth:
 * bench/results.
 */
import { randomUUID } from 'node:crypto';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeader,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import { parse } from 'fast-querystring';
import type { RenderedAnswer } from '../query/answers.js';
import type { AskOptions } from '../query/cost.js';
import { askerOf } from './asker.js';
import { parseQuestion, type RawQuery } from './question.js';
import { packBody } from './compress.js';
import { limits } from './limits.js';
import type { Encoding } from './negotiate.js';
import { problemAnswer } from './render-error.js';
import { jsonType } from './routes/rates.js';
import { securityHeaders } from './security-headers.js';
import type { Services } from './server.js';

const prefix = '/rates?';
const securityHeaderList = Object.entries(securityHeaders).flat();

export type DirectServices = Pick<
  Services,
  'answers' | 'lifecycle' | 'role' | 'emit' | 'deadline' | 'budgets' | 'proxies'
>;

export function answerDirectly(
  services: DirectServices,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url = '', headers } = request;
  // The router says what is wrong with an address. A body is nothing to a GET: Node reads past it.
  if (method !== 'GET' || !url.startsWith(prefix) || url.length > limits.addressCharacters) return false;
  if (services.role === 'ingest' || isNegotiated(url, headers)) return false;
  const exchange: Exchange = {
    services,
    response,
    method,
    url,
    accepted: headers['accept-encoding'],
    id: randomUUID(),
    begun: performance.now(),
  };
  const kept = services.answers.kept(url);
  if (kept) {
    send(exchange, kept, 'cache');
    return true;
  }
  const question = () => parseQuestion(parse(url.slice(prefix.length)) as RawQuery);
  services.answers.answer(url, question, optionsOf(services, request, response)).then(
    (answer) => send(exchange, answer, `db;dur=${(performance.now() - exchange.begun).toFixed(2)}`),
    (error: unknown) => {
      const { status, headers, body } = problemAnswer(error, exchange.id, services.emit);
      finish(exchange, status, headers, body);
    },
  );
  return true;
}

/** Whether something else than plain JSON may be wanted: the router's side knows how. */
const isNegotiated = (url: string, { accept, authorization }: IncomingHttpHeaders): boolean =>
  url.includes('format=') || authorization !== undefined || (accept !== undefined && accept.includes('csv'));

/** A lane between two ports costs next to nothing, and whether its client waits for it is not worth knowing. */
const optionsOf = (
  services: DirectServices,
  request: IncomingMessage,
  response: ServerResponse,
): AskOptions =>
  request.url?.includes('origin=') || request.url?.includes('stats=')
    ? askerOf(services, request, response)
    : { deadline: services.deadline() };

interface Exchange {
  services: DirectServices;
  response: ServerResponse;
  method: string;
  url: string;
  /** Accept-Encoding. */
  accepted: string | undefined;
  id: string;
  begun: number;
}

function send(exchange: Exchange, answer: RenderedAnswer, timing: string): void {
  const { body, bytes } = answer;
  if (exchange.accepted === undefined) return sendBody(exchange, answer, timing, body, bytes);
  void packBody(body, exchange.accepted).then((small) => {
    if (small) sendBody(exchange, answer, timing, small.packed, small.packed.length, small.encoding);
    else sendBody(exchange, answer, timing, body, bytes);
  });
}

function sendBody(
  exchange: Exchange,
  { revision }: RenderedAnswer,
  timing: string,
  body: string | Buffer,
  bytes: number,
  encoding?: Encoding,
): void {
  // As a flat list: an object put together anew for each answer cost 10 of its 35 µs.
  const headers = [
    ...securityHeaderList,
    'request-id',
    exchange.id,
    'rates-revision',
    revision,
    'server-timing',
    timing,
    'vary',
    'Accept, Accept-Encoding',
    'content-type',
    jsonType,
    'content-length',
    bytes,
    ...(encoding ? ['content-encoding', encoding] : []),
  ];
  finish(exchange, 200, headers, body);
}

function finish(
  { services, response, method, url, id, begun }: Exchange,
  status: number,
  headers: OutgoingHttpHeaders | OutgoingHttpHeader[],
  body: string | Buffer,
): void {
  // A request that began before a stop must not leave its connection waiting for another.
  if (services.lifecycle.stopping) response.setHeader('connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
  const milliseconds = performance.now() - begun;
  services.emit({ kind: 'request', id, method, url, route: '/rates', status, milliseconds });
}
