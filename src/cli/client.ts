/**
 * The client of the service: in goes a request, out comes its answer, or the error of the catalogue that it stands for.
 * Over node:http rather than fetch: an answer may come while a body is still being sent, and must not be lost.
 */
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { catalogue, codeOf, FairwayError, type ErrorCode, type ParameterFault } from '../errors.js';

export interface Service {
  url: string;
  apiKey?: string | undefined;
}

export interface ServiceRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with its query. */
  path: string;
  headers?: Record<string, string>;
  body?: { bytes: Readable; size: number };
  /** Without a byte in either direction for so long, nobody is there. */
  silenceMilliseconds?: number;
  /** Ends it, as if nobody were there. */
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** What came, where it is JSON. */
  json: unknown;
}

/** A problem document, as far as it is read here. */
export interface Problem {
  code: string;
  detail?: string;
  errors?: unknown[];
}

const answerMilliseconds = 30_000;

/** Sends and reads the whole answer, whatever its status. Throws `service_unreachable`, or what the body's source threw. */
export async function send(service: Service, request: ServiceRequest): Promise<Answer> {
  const { response, sent } = await open(service, request);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    return { status: response.statusCode ?? 0, headers: response.headers, json: asJson(text) };
  } catch (error) {
    throw unreachable(service.url, error);
  } finally {
    sent.destroy();
  }
}

/** The JSON of a good answer. Throws the error that any other answer stands for. */
export async function ask(service: Service, request: ServiceRequest): Promise<unknown> {
  const answer = await send(service, request);
  if (isGood(answer.status) && answer.json !== undefined) return answer.json;
  throw errorOf(service, answer);
}

/** Copies a good answer as it comes, for what need not be JSON. Throws as `ask` does. */
export async function download(
  service: Service,
  request: ServiceRequest,
  write: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const { response, sent } = await open(service, request);
  try {
    if (!isGood(response.statusCode ?? 0)) {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const json = asJson(Buffer.concat(chunks).toString('utf8'));
      throw errorOf(service, { status: response.statusCode ?? 0, headers: response.headers, json });
    }
    for await (const chunk of response) await write(chunk as Buffer);
  } catch (error) {
    throw error instanceof FairwayError || codeOf(error) === 'EPIPE'
      ? error
      : unreachable(service.url, error);
  } finally {
    sent.destroy();
  }
}

/** A small body of a request. */
export function jsonBody(value: unknown): { bytes: Readable; size: number } {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes: Readable.from([bytes], { objectMode: false }), size: bytes.length };
}

export const isGood = (status: number): boolean => status >= 200 && status < 300;

/** The error that an answer stands for. */
export function errorOf({ url }: Service, { status, headers, json }: Answer): FairwayError {
  const problem = json as Problem | undefined;
  const seconds = Number(headers['retry-after']);
  const later = Number.isFinite(seconds) ? { retryAfter: seconds } : {};
  const code = problem?.code;
  if (code !== undefined && Object.hasOwn(catalogue, code)) {
    const faults = (problem?.errors ?? []).filter(isParameterFault);
    return new FairwayError(code as ErrorCode, (problem?.detail ?? code) + hintFor(code), {
      faults,
      ...later,
    });
  }
  return new FairwayError(
    status === 429 ? 'overloaded' : status >= 500 ? 'service_unreachable' : 'bad_request',
    `${url} answered ${status} and nothing that Fairway knows; is that Fairway?`,
    later,
  );
}

const isParameterFault = (fault: unknown): fault is ParameterFault =>
  typeof fault === 'object' && fault !== null && 'parameter' in fault;

const howToGiveKeys =
  "; 'fairway keys create --name NAME --scope ingest --scope withdraw', or '--scope read', makes one, FAIRWAY_API_KEY or --api-key gives it";

const hintFor = (code: string): string =>
  code === 'unauthenticated' || code === 'forbidden' ? howToGiveKeys : '';

async function open(
  service: Service,
  { method = 'GET', path, headers, body, silenceMilliseconds = answerMilliseconds, signal }: ServiceRequest,
): Promise<{ response: IncomingMessage; sent: ClientRequest }> {
  const { url, apiKey } = service;
  const { request } = url.startsWith('https:') ? https : http;
  const sent = request(url + path, {
    method,
    headers: {
      accept: 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(body ? { 'content-length': body.size } : {}),
      ...headers,
    },
    // Each request its own connection: after a restart of the service an old one would be found dead.
    agent: false,
    timeout: silenceMilliseconds,
    ...(signal ? { signal } : {}),
  });
  sent.once('timeout', () => sent.destroy(new Error(`silent for ${silenceMilliseconds / 1_000} s`)));
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  // After the answer nobody waits for the request any more, which may still fail.
  sent.on('error', () => undefined);
  const copying = body ? pipeline(body.bytes, sent).catch(rethrowOwn) : void sent.end();
  try {
    const [response] = await Promise.race([answered, failureOf(copying)]);
    return { response, sent };
  } catch (error) {
    answered.catch(() => undefined);
    sent.destroy();
    throw error instanceof FairwayError ? error : unreachable(url, error);
  }
}

/** That the connection broke is told by the request itself; only what is wrong with the file is told by its reader. */
const rethrowOwn = (error: unknown): void => {
  if (error instanceof FairwayError) throw error;
};

const failureOf = (copying: Promise<void> | undefined): Promise<never> =>
  new Promise((_resolve, reject) => void copying?.catch(reject));

function unreachable(url: string, error: unknown): FairwayError {
  const reason = (error instanceof Error ? error.message : String(error)) || (codeOf(error) ?? 'no reason');
  return new FairwayError(
    'service_unreachable',
    `no answer from ${url} (${reason}); is it running? 'npm start' starts it, FAIRWAY_URL names another`,
    { cause: error },
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
