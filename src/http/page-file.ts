/** What browsers get: in goes a file of web/ or a page's text, out come a body, its type and the headers it needs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { packageRoot } from '../config.js';

/** The folder of the repository, and of a production image, that holds what browsers load. */
export const webFolder = join(packageRoot, 'web');

export interface PageFile {
  type: string;
  body: Buffer;
  etag: string;
}

/** Nothing but what this service itself serves; no inline script, style or style attribute in any page. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function pageFile(type: string, body: Buffer | string): PageFile {
  const bytes = Buffer.from(body);
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  return { type, body: bytes, etag: `"${digest}"` };
}

export const readWebFile = (name: string, type: string): PageFile =>
  pageFile(type, readFileSync(join(webFolder, name)));

/**
 * Sends it, or 304 where the browser has it. `no-cache` lets it keep a copy but ask each time, so that a deploy never
 * leaves a page with the script of another version.
 */
export function sendPageFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  reply.header('etag', file.etag).header('cache-control', 'no-cache');
  if (file.type.startsWith('text/html')) reply.header('content-security-policy', contentSecurityPolicy);
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(file.etag)) return reply.code(304).send();
  return reply.type(file.type).send(file.body);
}
