/** What PostgreSQL and its connection throw: in goes anything thrown, out comes an error of the catalogue where there is one. Pure. */
import { codeOf, FairwayError, type ErrorCode } from '../errors.js';

// Source: PostgreSQL documentation, appendix A: class 08 connection exceptions, 57P01-57P05 shutdown and start.
const lossStates = /^(08...|57P0[1-5])$/;
const lossErrnos = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const lossWords = /^(Connection terminated|Client has encountered a connection error|Client was closed)/;
/** What pg-pool says to those who waited too long for a connection that others hold. */
const waitedWords = /^timeout exceeded when trying to connect/;

/** The connection was lost between sending COMMIT and hearing of it: the transaction happened, or it did not. */
export class CommitUnknown extends Error {
  constructor(cause: unknown) {
    super('the connection was lost during COMMIT', { cause });
    this.name = 'CommitUnknown';
  }
}

/** Whether what was thrown leaves open if its transaction was committed. */
export function isOutcomeUnknown(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at instanceof CommitUnknown || codeOf(at) === 'outcome_unknown') return true;
  return false;
}

/** Whether the connection, not the statement, is what failed. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof CommitUnknown) return true;
  const code = codeOf(error) ?? '';
  return (
    code === 'database_unavailable' ||
    lossStates.test(code) ||
    lossErrnos.has(code) ||
    lossWords.test(error.message)
  );
}

const meanings: Record<string, [ErrorCode, string]> = {
  '42501': [
    'database_refused',
    "the database lets this user not do that; 'fairway migrate' grants what the service's role needs",
  ],
  '53300': ['database_unavailable', 'the database has no connection left; try again in a moment'],
  '28P01': ['database_refused', 'the database refused the connection; check its user and password'],
  '28000': ['database_refused', 'the database refused the connection; check its user and password'],
  '3D000': ['database_refused', 'there is no database of that name; create it, or name another'],
  '3F000': ['schema_missing', "the database has no schema 'fairway'; run 'fairway migrate' first"],
  '42P01': [
    'schema_missing',
    "the database has no (or an older) schema 'fairway'; run 'fairway migrate' first",
  ],
  '55P03': ['database_timeout', 'somebody else holds a lock for too long; try again later'],
  '53100': ['disk_full', 'the disk of the database is full; free space and try again'],
};

export const unavailable = (cause?: unknown): FairwayError =>
  new FairwayError('database_unavailable', 'the database cannot be reached just now; try again in a moment', {
    cause,
  });

export const overloaded = (cause?: unknown): FairwayError =>
  new FairwayError('overloaded', 'all connections to the database are busy; try again in a moment', {
    cause,
  });

/** The error of the catalogue for what `pg` threw; anything else as it is. */
export function translate(error: unknown): unknown {
  if (error instanceof FairwayError || !(error instanceof Error)) return error;
  if (isConnectionLoss(error)) {
    return unavailable(error);
  }
  if (waitedWords.test(error.message)) return overloaded(error);
  const meaning = meanings[codeOf(error) ?? ''];
  return meaning ? new FairwayError(meaning[0], meaning[1], { cause: error }) : error;
}
