/** NDJSON: whether it was asked for, and streams of it that a slow reader holds up. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const ndjsonType = 'application/x-ndjson';

export const wantsNdjson = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  /\bapplication\/(x-)?ndjson\b/.test(headers.accept ?? '');

/** Where a chunk cannot be made the connection breaks off; that nobody takes a part for the whole, the last line must tell. */
export const sendLines = (reply: FastifyReply, chunks: AsyncIterable<string>): FastifyReply =>
  reply.type(`${ndjsonType}; charset=utf-8`).send(Readable.from(chunks, { objectMode: false }));
