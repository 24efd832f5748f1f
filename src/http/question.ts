/** The question of GET /rates: in goes the query string's parameters, out come days and codes, or every fault at once. Pure. */
import { parseDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import type { LaneQuestion } from '../query/rates.js';

/** Days a question may span at the most. */
export const maximumDays = 4_000;
const longestValue = 80;

export type RawQuery = Readonly<Record<string, string | string[] | undefined>>;

/** Throws `invalid_parameter` with a fault for each parameter that is wrong. */
export function parseQuestion(query: RawQuery): LaneQuestion {
  const faults: ParameterFault[] = [];
  const from = readDay(query, 'date_from', faults);
  const to = readDay(query, 'date_to', faults);
  const origin = readCode(query, 'orig_code', faults);
  const destination = readCode(query, 'dest_code', faults);
  if (faults.length === 0 && to - from >= maximumDays) {
    faults.push({
      parameter: 'date_to',
      message: `the range spans ${to - from + 1} days`,
      expected: `at most ${maximumDays} days from date_from to date_to; ask for several ranges`,
    });
  }
  if (faults.length === 0) return { origin, destination, from, to };
  throw new FairwayError(
    'invalid_parameter',
    faults.map((fault) => `${fault.parameter}: ${fault.message}`).join('; '),
    { faults },
  );
}

/** A repeated parameter counts by its first value, as in the original service. */
function first(query: RawQuery, parameter: string): string | undefined {
  const value = query[parameter];
  return Array.isArray(value) ? value[0] : value;
}

function readDay(query: RawQuery, parameter: string, faults: ParameterFault[]): number {
  const expected = 'a date as YYYY-MM-DD, such as 2021-01-31';
  const value = first(query, parameter);
  if (!value) {
    faults.push({ parameter, message: 'is missing', expected });
    return 0;
  }
  const day = parseDay(value);
  if (day !== undefined) return day;
  const shape = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$/.test(value);
  const message = shape ? `there is no day '${value}' in the calendar` : `'${shorten(value)}' is not a date`;
  faults.push({ parameter, message, expected, value: shorten(value) });
  return 0;
}

function readCode(query: RawQuery, parameter: string, faults: ParameterFault[]): string {
  const expected = "a port's code, such as CNGGZ";
  const value = first(query, parameter);
  if (!value) faults.push({ parameter, message: 'is missing', expected });
  else if (value.includes('\0'))
    faults.push({ parameter, message: 'holds a NUL character', expected, value: shorten(value) });
  return value ?? '';
}

const shorten = (value: string): string =>
  value.length > longestValue ? `${value.slice(0, longestValue)}…` : value;
