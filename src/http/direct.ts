/**
 * Ahead of the router: a GET of /rates, which is nearly all of the traffic, goes straight to its answer, without
 * routing, validation and hooks. In goes a request, out comes whether it was taken. Log, metrics, limits, headers and
 * errors are those of every other route, and the route is there for whatever is not taken here. What it is worth:
 * bench/results.
 */
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeader,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import { parse } from 'fast-querystring';
import type { RenderedAnswer, Stale } from '../query/answers.js';
import type { AskOptions } from '../query/cost.js';
import { askerOf } from './asker.js';
import { parseQuestion, type RawQuery } from './question.js';
import { limits } from './limits.js';
import {
  askedOf,
  isKnown,
  minimum,
  represent,
  staleHeaders,
  timingOf,
  varyOfRates,
  type Representation,
} from './rates-answer.js';
import { newRequestId } from './request-id.js';
import { problemAnswer } from './render-error.js';
import { jsonType } from './routes/rates.js';
import { securityHeaders } from './security-headers.js';
import type { Services } from './server.js';
import { endWhole } from './whole.js';

const prefix = '/rates?';
const securityHeaderList = Object.entries(securityHeaders).flat();

export type DirectServices = Pick<
  Services,
  'answers' | 'cacheControl' | 'lifecycle' | 'role' | 'readKeys' | 'emit' | 'deadline' | 'budgets' | 'proxies'
>;

export function answerDirectly(
  services: DirectServices,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url = '', headers } = request;
  // The router says what is wrong with an address. A body is nothing to a GET: Node reads past it.
  if (method !== 'GET' || !url.startsWith(prefix) || url.length > limits.addressCharacters) return false;
  // Who shows a key, as all must there, is the router's to answer.
  if (services.readKeys === 'required') return false;
  if (services.role === 'ingest' || isNegotiated(url, headers)) return false;
  const exchange: Exchange = {
    services,
    response,
    method,
    url,
    accepted: headers['accept-encoding'],
    known: headers['if-none-match'],
    id: newRequestId(),
    begun: performance.now(),
  };
  const kept = url.includes(minimum) ? undefined : services.answers.kept(url, exchange.begun);
  if (kept) {
    send(exchange, kept, 'cache');
    return true;
  }
  const question = () => parseQuestion(parse(url.slice(prefix.length)) as RawQuery);
  services.answers.answer(askedOf(url), question, optionsOf(services, request, response)).then(
    ({ answer, kept, stale }) => send(exchange, answer, timingOf(kept, exchange.begun), stale),
    (error: unknown) => fail(exchange, error),
  );
  return true;
}

/** Whether something else than plain JSON may be wanted, or a parameter's name may be written with percent signs: the router's side knows how. */
const isNegotiated = (url: string, { accept, authorization }: IncomingHttpHeaders): boolean =>
  /%|format=/.test(url) ||
  authorization !== undefined ||
  (accept !== undefined && /csv|text\/\*|q=0(?!\.0*[1-9])/i.test(accept));

/** A lane between two ports costs next to nothing, and whether its client waits for it is not worth knowing. */
const optionsOf = (
  services: DirectServices,
  request: IncomingMessage,
  response: ServerResponse,
): AskOptions =>
  /origin=|destination=|stats=/.test(request.url ?? '')
    ? askerOf(services, request, response)
    : { deadline: services.deadline() };

interface Exchange {
  services: DirectServices;
  response: ServerResponse;
  method: string;
  url: string;
  /** Accept-Encoding. */
  accepted: string | undefined;
  /** If-None-Match. */
  known: string | undefined;
  id: string;
  begun: number;
}

function send(exchange: Exchange, answer: RenderedAnswer, timing: string, stale?: Stale): void {
  if (isKnown(exchange.known, answer.etag))
    return finish(exchange, 304, headersOf(exchange, answer, timing, stale));
  const representation = represent(exchange.services.answers, answer, exchange.accepted);
  if (!(representation instanceof Promise)) return sendBody(exchange, answer, timing, stale, representation);
  representation.then(
    (packed) => sendBody(exchange, answer, timing, stale, packed),
    (error: unknown) => fail(exchange, error),
  );
}

/** Answers are in ASCII, which nobody need measure as UTF-8. */
function sendBody(
  exchange: Exchange,
  answer: RenderedAnswer,
  timing: string,
  stale: Stale | undefined,
  { body, encoding }: Representation,
): void {
  const { response, services } = exchange;
  if (typeof body === 'string' && !stale && !services.lifecycle.stopping)
    if (endWhole(response, headerLines(exchange, answer, timing), body)) return told(exchange, 200);
  const headers = headersOf(exchange, answer, timing, stale);
  headers.push('content-type', jsonType, 'content-length', body.length);
  if (encoding) headers.push('content-encoding', encoding);
  finish(exchange, 200, headers, body, 'latin1');
}

/** Where the headers of each answer begin, and what does not change with it. */
const idAt = 1;
const revisionAt = 3;
const timingAt = 5;
const etagAt = 7;
const cacheControlAt = 9;
const usualHeaders: readonly OutgoingHttpHeader[] = [
  'request-id',
  '',
  'rates-revision',
  0,
  'server-timing',
  '',
  'etag',
  '',
  'cache-control',
  '',
  'vary',
  varyOfRates,
  ...securityHeaderList,
];

/** As a flat list, copied whole: an object put together anew for each answer cost 10 of its 35 µs. */
function headersOf(
  { id, services }: Exchange,
  { revision, etag }: RenderedAnswer,
  timing: string,
  stale: Stale | undefined,
): OutgoingHttpHeader[] {
  const headers = usualHeaders.slice();
  headers[idAt] = id;
  headers[revisionAt] = revision;
  headers[timingAt] = timing;
  headers[etagAt] = etag;
  headers[cacheControlAt] = services.cacheControl;
  if (stale) headers.push(...Object.entries(staleHeaders(stale)).flat());
  return headers;
}

const usualLines = [['vary', varyOfRates], ['content-type', jsonType], ...Object.entries(securityHeaders)]
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** The same as text, with the type of the body. */
const headerLines = (
  { id, services }: Exchange,
  { revision, etag }: RenderedAnswer,
  timing: string,
): string =>
  `${usualLines}cache-control: ${services.cacheControl}\r\nrequest-id: ${id}\r\nrates-revision: ${revision}\r\nserver-timing: ${timing}\r\netag: ${etag}\r\n`;

function fail(exchange: Exchange, error: unknown): void {
  const { status, headers, body } = problemAnswer(error, exchange.id, exchange.services.emit);
  finish(exchange, status, headers, body);
}

function finish(
  exchange: Exchange,
  status: number,
  headers: OutgoingHttpHeaders | OutgoingHttpHeader[],
  body?: string | Buffer,
  encoding: BufferEncoding = 'utf8',
): void {
  const { services, response } = exchange;
  // A request that began before a stop must not leave its connection waiting for another.
  if (services.lifecycle.stopping) response.setHeader('connection', 'close');
  response.writeHead(status, headers);
  response.end(body, encoding);
  told(exchange, status);
}

function told({ services, method, url, id, begun }: Exchange, status: number): void {
  const milliseconds = performance.now() - begun;
  services.emit({ kind: 'request', id, method, url, route: '/rates', status, milliseconds });
}
