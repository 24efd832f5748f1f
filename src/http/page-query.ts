/** Parameters of lists: cursors, which are numbers in a form that nobody counts with, and moments. Pure. */
import { FairwayError } from '../errors.js';

export const writeCursor = (number: string): string => Buffer.from(`c${number}`).toString('base64url');

/** Throws `invalid_parameter`. */
export function readCursor(cursor: string): string {
  const number = /^c([0-9]{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (number !== undefined) return number;
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

const invalid = (parameter: string, message: string, expected: string, value: string): FairwayError =>
  new FairwayError('invalid_parameter', `${parameter}: ${message}`, {
    faults: [{ parameter, message, expected, value }],
  });
