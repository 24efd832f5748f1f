/**
 * The one catalogue of errors: what can go wrong, under which code, with which HTTP status and which exit code.
 * Every entry is explained in docs/errors.md; a test compares the two both ways.
 */

/** Exit codes of the command line. */
export const exitCodes = { done: 0, failed: 1, usage: 2, rejected: 3, retry: 4 } as const;

interface CatalogueEntry {
  /** HTTP status where the error leaves through HTTP. */
  status: number;
  /** Short and the same for every occurrence (RFC 9457 `title`). */
  title: string;
  /** Exit code of the command line. */
  exit: number;
}

export const catalogue = {
  invalid_parameter: { status: 400, title: 'A parameter is missing or not valid', exit: exitCodes.usage },
  too_costly: { status: 400, title: 'The question asks for too much at once', exit: exitCodes.usage },
  bad_request: { status: 400, title: 'The request could not be understood', exit: exitCodes.usage },
  body_unreadable: { status: 400, title: 'The body is cut off or not as encoded', exit: exitCodes.usage },
  digest_mismatch: { status: 400, title: 'The body is not what Content-Digest says', exit: exitCodes.retry },
  unauthenticated: { status: 401, title: 'A valid API key is needed', exit: exitCodes.usage },
  forbidden: { status: 403, title: 'This API key may not do that', exit: exitCodes.usage },
  not_found: { status: 404, title: 'There is nothing at this address', exit: exitCodes.failed },
  place_unknown: { status: 404, title: 'There is no such port or region', exit: exitCodes.usage },
  batch_unknown: { status: 404, title: 'There is no such batch', exit: exitCodes.failed },
  method_not_allowed: { status: 405, title: 'This address does not take that method', exit: exitCodes.usage },
  request_timeout: { status: 408, title: 'The request did not arrive in time', exit: exitCodes.retry },
  batch_state: {
    status: 409,
    title: 'The batch is in a state that does not allow this',
    exit: exitCodes.failed,
  },
  in_progress: { status: 409, title: 'Another request with this key is at work', exit: exitCodes.retry },
  key_conflict: { status: 409, title: 'This key belongs to another content', exit: exitCodes.rejected },
  parts_incomplete: { status: 409, title: 'The parts are not those stated', exit: exitCodes.rejected },
  revision_gone: { status: 410, title: 'The revision is no longer kept', exit: exitCodes.usage },
  request_too_large: { status: 413, title: 'The request is larger than allowed', exit: exitCodes.usage },
  wrong_role: { status: 421, title: 'This process does not do that', exit: exitCodes.failed },
  budget_spent: { status: 429, title: 'This client has asked for its share', exit: exitCodes.retry },
  url_too_long: { status: 414, title: 'The address is longer than allowed', exit: exitCodes.usage },
  headers_too_large: { status: 431, title: 'The headers are larger than allowed', exit: exitCodes.usage },
  unsupported_media_type: {
    status: 415,
    title: 'The body is of a kind that is not taken here',
    exit: exitCodes.usage,
  },
  client_gone: { status: 499, title: 'The client has gone', exit: exitCodes.retry },
  place_invalid: { status: 422, title: 'The place cannot be as described', exit: exitCodes.rejected },
  batch_rejected: {
    status: 422,
    title: 'The batch has faults; none of it is published',
    exit: exitCodes.rejected,
  },
  part_rejected: {
    status: 422,
    title: 'The part has faults; none of it is stored',
    exit: exitCodes.rejected,
  },
  internal_error: { status: 500, title: 'Something went wrong inside Fairway', exit: exitCodes.failed },
  overloaded: { status: 503, title: 'There is more to do than can be done', exit: exitCodes.retry },
  stopping: { status: 503, title: 'This process is about to stop', exit: exitCodes.retry },
  database_unavailable: { status: 503, title: 'The database cannot be reached', exit: exitCodes.retry },
  database_timeout: { status: 503, title: 'The database did not answer in time', exit: exitCodes.retry },
  revision_not_here: { status: 503, title: 'The revision has not come here yet', exit: exitCodes.retry },
  rollups_behind: {
    status: 503,
    title: 'Too much waits to be rolled up, and no batch is taken',
    exit: exitCodes.retry,
  },
  outcome_unknown: { status: 503, title: 'Whether it was done is not known yet', exit: exitCodes.retry },
  database_refused: { status: 503, title: 'The database refused the connection', exit: exitCodes.failed },
  schema_missing: { status: 503, title: 'The database has not been migrated', exit: exitCodes.failed },
  schema_newer: {
    status: 503,
    title: 'The database was migrated by a newer Fairway',
    exit: exitCodes.failed,
  },
  key_unknown: { status: 404, title: 'There is no such API key', exit: exitCodes.failed },
  service_unreachable: { status: 503, title: 'The service cannot be reached', exit: exitCodes.retry },
  configuration_invalid: { status: 500, title: 'A setting is not valid', exit: exitCodes.usage },
  usage: { status: 400, title: 'The command was called with words it does not know', exit: exitCodes.usage },
  port_in_use: { status: 500, title: 'The port is taken', exit: exitCodes.failed },
  file_unreadable: { status: 500, title: 'The file cannot be read', exit: exitCodes.failed },
  dump_invalid: { status: 422, title: 'The dump is not one Fairway can import', exit: exitCodes.rejected },
  dump_conflict: { status: 409, title: 'The database already holds other data', exit: exitCodes.rejected },
  faults_purged: { status: 410, title: 'The list of faults was removed', exit: exitCodes.failed },
  postgres_unsupported: {
    status: 500,
    title: 'There is no bundled PostgreSQL for this machine',
    exit: exitCodes.failed,
  },
  postgres_failed: { status: 500, title: 'The bundled PostgreSQL does not start', exit: exitCodes.failed },
  postgres_version: {
    status: 500,
    title: 'The data folder belongs to another PostgreSQL version',
    exit: exitCodes.failed,
  },
  data_folder: { status: 500, title: 'The data folder cannot be used', exit: exitCodes.failed },
  not_verified: {
    status: 500,
    title: 'What is stored is not as it should be',
    exit: exitCodes.failed,
  },
  disk_nearly_full: {
    status: 507,
    title: 'The disk is nearly full, and no batch is taken',
    exit: exitCodes.retry,
  },
  disk_full: { status: 507, title: 'The disk is full', exit: exitCodes.failed },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

/** One thing wrong with one parameter of a request. */
export interface ParameterFault {
  parameter: string;
  message: string;
  expected: string;
  value?: string;
  /** What may have been meant. */
  suggestions?: { kind: string; code: string; name: string }[];
}

/** What an error carries beside its message. */
export interface ErrorMore {
  cause?: unknown;
  line?: number;
  faults?: readonly ParameterFault[];
  /** Further members of the problem document. */
  details?: Readonly<Record<string, unknown>>;
  /** Seconds after which it makes sense to try again. */
  retryAfter?: number;
  /** The revision at which it is so, where another might say otherwise. */
  revision?: number;
}

/** An error Fairway means: its `message` says what is wrong and what to do, and may be shown to anyone. */
export class FairwayError extends Error {
  readonly code: ErrorCode;
  /** Where it happened, when there is a place: a line of a file, from 1. */
  readonly line: number | undefined;
  readonly faults: readonly ParameterFault[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;
  readonly revision: number | undefined;

  constructor(code: ErrorCode, message: string, more: ErrorMore = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'FairwayError';
    this.code = code;
    this.line = more.line;
    this.faults = more.faults ?? [];
    this.details = more.details ?? {};
    this.retryAfter = more.retryAfter;
    this.revision = more.revision;
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  get title(): string {
    return catalogue[this.code].title;
  }

  get exit(): number {
    return catalogue[this.code].exit;
  }
}

/** Why an answer was given up. */
export const clientGone = (): FairwayError =>
  new FairwayError('client_gone', 'the client went away before its answer');

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of what the system or PostgreSQL threw, such as ENOENT or 57P01. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
