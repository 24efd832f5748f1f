/** Errors leave here: in goes anything thrown, out comes an RFC 9457 problem that says nothing of the inside. */
import { catalogue, clientGone, codeOf, FairwayError, type ErrorCode } from '../errors.js';
import type { Emit } from '../events.js';
import type { Problem } from './contract-shapes.js';
import { securityHeaders } from './security-headers.js';

/** What Fastify itself refuses, by its status. */
const frameworkCodes: Record<number, ErrorCode> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'request_too_large',
  414: 'request_too_large',
  415: 'unsupported_media_type',
};

/** The error of the catalogue that stands for what was thrown. */
export function asFairwayError(error: unknown): FairwayError {
  if (error instanceof FairwayError) return error;
  if (isValidation(error)) return asParameterFaults(error);
  // Of an answer that is streamed: nobody is left to read it.
  if (codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE') return clientGone();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new FairwayError(frameworkCodes[status] ?? 'bad_request', (error as Error).message, {
      cause: error,
    });
  }
  return new FairwayError(
    'internal_error',
    'this is our fault, not yours; the log has it under the request’s id',
    { cause: error },
  );
}

interface ValidationError extends Error {
  validation: { instancePath: string; message?: string; params: Record<string, unknown> }[];
  /** What was checked: body, querystring, params or headers. */
  validationContext?: string;
}

const isValidation = (error: unknown): error is ValidationError =>
  Array.isArray((error as Partial<ValidationError> | null)?.validation);

function asParameterFaults(error: ValidationError): FairwayError {
  const faults = error.validation.map(({ instancePath, message = 'is not valid', params }) => {
    const named = params['missingProperty'] ?? params['additionalProperty'];
    const missing = params['missingProperty'] !== undefined;
    const unknown = params['additionalProperty'] !== undefined;
    const allowed = params['allowedValues'];
    const place = pathOf(instancePath);
    const parameter = typeof named === 'string' ? (place === '' ? named : `${place}.${named}`) : place;
    return {
      parameter: parameter === '' ? (error.validationContext ?? 'request') : parameter,
      message: missing
        ? 'is missing'
        : unknown
          ? 'is not known here'
          : allowed
            ? 'is none that there is'
            : message,
      expected: Array.isArray(allowed)
        ? `one of ${allowed.join(', ')}`
        : 'what /openapi.json says; /docs shows it for reading',
    };
  });
  const sentence = faults.map(({ parameter, message }) => `${parameter}: ${message}`).join('; ');
  return new FairwayError('invalid_parameter', sentence, { faults, cause: error });
}

/** Where it is, as a question's own faults say it: /questions/3/origin is questions[3].origin. */
const pathOf = (pointer: string): string =>
  pointer
    .slice(1)
    .replaceAll(/\/([0-9]+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');

export function renderProblem(error: FairwayError, requestId: string): Problem {
  const { status, title } = catalogue[error.code];
  return {
    type: `urn:fairway:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.faults.length > 0 ? { errors: [...error.faults] } : {}),
    ...error.details,
  };
}

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The whole answer to what was thrown. What nobody foresaw is said in the log, under the request's id. */
export function problemAnswer(error: unknown, requestId: string, emit: Emit): ProblemAnswer {
  const known = asFairwayError(error);
  // That the database is away is said once, by the database itself; a line per request would bury it.
  if (known.code === 'internal_error')
    emit({ kind: 'request-failed', id: requestId, error: known.cause ?? known });
  const body = JSON.stringify(renderProblem(known, requestId));
  const retryAfter = known.retryAfter ?? (known.status === 503 ? 1 : undefined);
  return {
    status: known.status,
    body,
    headers: {
      ...securityHeaders,
      'request-id': requestId,
      // Some statuses, such as 404 and 410, may be kept by caches unless they are told.
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...(known.revision === undefined ? {} : { 'rates-revision': String(known.revision) }),
      ...(known.status === 401 ? { 'www-authenticate': 'Bearer realm="fairway"' } : {}),
    },
  };
}
