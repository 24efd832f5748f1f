/** A request that brings a batch: in go its headers and query, out comes what the pipeline takes, or the refusal. Also of the small bodies of other requests. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FairwayError } from '../errors.js';
import { encodings } from '../ingest/upload/body.js';
import type { PartUpload } from '../ingest/parted/context.js';
import type { Caller, Upload } from '../ingest/upload/context.js';
import { readDigest } from './digest.js';
import type { Server } from './server.js';

const formats: Record<string, Upload['format']> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/json': 'json',
};

/** Throws `unsupported_media_type`. */
export function readUploadRequest(
  headers: IncomingHttpHeaders,
  { replaces }: { replaces?: string },
  caller: Caller,
): Upload {
  const items = headers['fairway-items'];
  const key = headers['idempotency-key'];
  return {
    caller,
    key: typeof key === 'string' ? key : null,
    format: formatOf(headers['content-type'] ?? ''),
    encoding: encodingOf(headers['content-encoding'] ?? 'identity'),
    ...(typeof items === 'string' ? { declaredItems: Number(items) } : {}),
    replaces: replaces ?? null,
  };
}

/** Throws `unsupported_media_type` or `invalid_parameter`. */
export function readPartRequest(
  headers: IncomingHttpHeaders,
  { id, part }: { id: string; part: number },
  caller: Caller,
): PartUpload {
  const { format, encoding, declaredItems } = readUploadRequest(headers, {}, caller);
  const digest = readDigest(String(headers['content-digest']));
  return {
    caller,
    batch: id,
    part,
    format,
    encoding,
    digest,
    ...(declaredItems === undefined ? {} : { declaredItems }),
  };
}

function formatOf(contentType: string): Upload['format'] {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((text) => text.trim());
  const charset = parameters.map((text) => /^charset="?([^"]*)"?$/.exec(text)?.[1]).find((name) => name);
  const format = formats[type];
  if (format && (charset === undefined || /^(utf-?8|us-ascii)$/.test(charset))) return format;
  throw new FairwayError(
    'unsupported_media_type',
    `Content-Type '${contentType.slice(0, 80)}' is not taken; send text/csv, application/x-ndjson or application/json, in UTF-8`,
  );
}

function encodingOf(text: string): Upload['encoding'] {
  const encoding = text
    .trim()
    .toLowerCase()
    .replace(/^x-gzip$/, 'gzip');
  if (encodings.includes(encoding)) return encoding as Upload['encoding'];
  const zstd = encoding === 'zstd' ? ` (zstd takes Node 22.15 or newer; this is ${process.version})` : '';
  throw new FairwayError(
    'unsupported_media_type',
    `Content-Encoding '${text.slice(0, 80)}' is not taken${zstd}; send ${encodings.join(' or ')}`,
  );
}

/** Of routes whose bodies are small: whatever is packed, or no JSON, is a 415, not JSON with a fault. */
export function takePlainJson(server: Server): void {
  server.addHook('preParsing', ({ method, headers }, _reply, payload, done) => {
    // Some clients name a type where they send nothing.
    if (method !== 'POST' && method !== 'PUT') return done(null, payload);
    const { 'content-encoding': encoding = 'identity', 'content-type': type = 'application/json' } = headers;
    const faults = [
      ...(/^application\/json *(;|$)/i.test(type) ? [] : [`Content-Type '${type.slice(0, 80)}'`]),
      ...(/^identity$/i.test(encoding) ? [] : [`Content-Encoding '${encoding.slice(0, 80)}'`]),
    ];
    if (faults.length === 0) return done(null, payload);
    const message = `${faults.join(' and ')} is not taken here; send application/json as it is`;
    done(new FairwayError('unsupported_media_type', message));
  });
}

/** Bytes of the wire. The connection survives whoever stops reading: the answer must still go out over it. */
export const bytesOf = (request: FastifyRequest): AsyncIterable<Uint8Array> =>
  request.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;

/** For a client to notice the answer and stop sending. */
const lingerMilliseconds = 5_000;

/**
 * Where the answer went out before the body had come: what still comes is thrown away for a while, since closing at
 * once would reset the connection and the client might never read the answer.
 */
export function linger({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  const timer = setTimeout(() => raw.destroy(), lingerMilliseconds);
  timer.unref();
  for (const event of ['end', 'close'] as const) raw.once(event, () => clearTimeout(timer));
  raw.resume();
}

/** A body that is read whole must come within this time; an upload has its own rule (ingest/upload/body.ts). */
export function limitBodyTime(request: FastifyRequest, reply: FastifyReply, milliseconds: number): void {
  const { raw } = request;
  if (raw.complete) return;
  const timer = setTimeout(() => {
    if (raw.complete || reply.sent) return;
    reply.header('connection', 'close');
    void reply.send(new FairwayError('request_timeout', 'the request did not arrive in time; send it again'));
  }, milliseconds);
  timer.unref();
  for (const event of ['end', 'close'] as const) raw.once(event, () => clearTimeout(timer));
}
