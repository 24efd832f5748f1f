/** What a request may be at the most, and how a request is refused that never became one. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FairwayError, type ErrorCode } from '../errors.js';
import { newRequestId } from './request-id.js';
import { renderProblem } from './render-error.js';

export const limits = {
  /** Of a body that is read whole. */
  bodyBytes: 1 << 20,
  /** Of all headers together. */
  headerBytes: 16 << 10,
  /** Of a path with its query. */
  addressCharacters: 4_096,
  /** For the headers, and for the whole request, to arrive. */
  headersMilliseconds: 10_000,
  requestMilliseconds: 60_000,
  /** Without a request a connection stays open so long: longer than a balancer keeps its own (60 s), or they would race. */
  idleMilliseconds: 72_000,
  /** How often these are looked at. */
  checkMilliseconds: 1_000,
};

/** The error for an address that is too long, or nothing. */
export const checkAddress = (address: string): FairwayError | undefined =>
  address.length <= limits.addressCharacters
    ? undefined
    : new FairwayError(
        'url_too_long',
        `the address has ${address.length} characters; ${limits.addressCharacters} are the most`,
      );

const meanings: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    `the headers are larger than ${limits.headerBytes >> 10} kB in all`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time; send it again'],
};

/** Answers, over the bare socket, what Node could not read as a request. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = meanings[error.code ?? ''] ?? ['bad_request', 'this is not a request in HTTP/1.1'];
  const known = new FairwayError(code, message);
  const body = JSON.stringify(renderProblem(known, newRequestId()));
  socket.end(
    `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
