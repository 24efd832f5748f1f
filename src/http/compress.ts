/** Answers packed for the wire where the client asked for it: in go texts or streams, out come theirs with what to say of them. */
import { pipeline, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { chooseEncoding, type Encoding } from './negotiate.js';

/** A smaller body is sent as it is: it fits a packet or two, and packing costs more than it saves. */
export const leastBytes = 2_048;

/** Brotli's fourth is about as fast as gzip's default and packs better. */
const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
const packers: Record<Encoding, (body: string | Buffer) => Promise<Buffer>> = {
  br: (body) => promisify<string | Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)(body, brotli),
  gzip: (body) => promisify<string | Buffer, Buffer>(zlib.gzip)(body),
};

const packable = /^(text\/|application\/(json|x-ndjson|problem\+json))|\+json/;

export const pack = (encoding: Encoding, body: string | Buffer): Promise<Buffer> => packers[encoding](body);

/** To be called as a hook before an answer is sent. Answers that differ by encoding say so, packed or not. */
export async function compressAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (reply.statusCode >= 400 || !packable.test(String(reply.getHeader('content-type') ?? '')))
    return payload;
  addVary(reply);
  const encoding = chooseEncoding(request.headers['accept-encoding']);
  if (!encoding || reply.hasHeader('content-encoding') || request.method === 'HEAD') return payload;
  if (isStream(payload)) {
    reply.header('content-encoding', encoding);
    const packing = encoding === 'br' ? zlib.createBrotliCompress(brotli) : zlib.createGzip();
    // Whoever reads the packed bytes hears of what goes wrong.
    pipeline(payload, packing, () => undefined);
    return packing;
  }
  if (!(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload;
  if (Buffer.byteLength(payload) < leastBytes) return payload;
  const packed = await pack(encoding, payload);
  reply.removeHeader('content-length');
  reply.header('content-encoding', encoding);
  return packed;
}

export const isStream = (payload: unknown): payload is Readable =>
  typeof payload === 'object' && payload !== null && 'pipe' in payload;

function addVary(reply: FastifyReply): void {
  const vary = String(reply.getHeader('vary') ?? '');
  if (!/\baccept-encoding\b/i.test(vary))
    reply.header('vary', vary === '' ? 'Accept-Encoding' : `${vary}, Accept-Encoding`);
}
