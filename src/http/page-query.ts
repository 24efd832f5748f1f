/** Parameters of lists: cursors, which are numbers in a form that nobody counts with, and moments. Pure. */
import { FairwayError } from '../errors.js';

export const writeCursor = (number: string): string => Buffer.from(`c${number}`).toString('base64url');

/** The number in a cursor. Throws `invalid_parameter`. */
export const readCursor = (cursor: string): string => readCursorOf(1, cursor)[0] ?? '';

/** So many numbers, which were written with dots between them. Throws `invalid_parameter`. */
export function readCursorOf(count: number, cursor: string): string[] {
  const numbers = /^c([0-9]{1,15}(?:\.[0-9]{1,15})*)$/.exec(
    Buffer.from(cursor, 'base64url').toString('latin1'),
  )?.[1];
  const parts = numbers?.split('.');
  if (parts?.length === count) return parts;
  throw invalid('cursor', 'is not one that an answer gave', '`next` of the answer before, as it is', cursor);
}

/** A day, or a moment with its zone. Throws `invalid_parameter`. */
export function readMoment(parameter: string, text: string): Date {
  const shape = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,12}(Z|[+-][0-9]{2}:[0-9]{2}))?$/;
  const moment = new Date(shape.test(text) ? text : Number.NaN);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw invalid(
    parameter,
    `'${text}' is not a moment`,
    'a day or a moment with its zone, such as 2026-01-31 or 2026-01-31T12:00:00Z',
    text,
  );
}

/** Parameters of a question that say which revision its answer is of. */
export interface MomentQuery {
  as_of?: number;
  min_revision?: number;
}

export const momentOf = ({ as_of, min_revision }: MomentQuery): { asOf?: number; minRevision?: number } => ({
  ...(as_of === undefined ? {} : { asOf: as_of }),
  ...(min_revision === undefined ? {} : { minRevision: min_revision }),
});

const invalid = (parameter: string, message: string, expected: string, value: string): FairwayError =>
  new FairwayError('invalid_parameter', `${parameter}: ${message}`, {
    faults: [{ parameter, message, expected, value }],
  });
