/** The question of GET /rates: in go the query string's parameters, out come days and ends, or every fault at once. Pure. */
import { parseDay } from '../days.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import type { End } from '../query/ends.js';
import type { RatesQuestion } from '../query/rates.js';
import { isStatistic, statisticNames, type Statistic } from '../query/statistics/definitions.js';

/** Days a question may span at the most. */
export const maximumDays = 4_000;
const longestValue = 80;

export type RawQuery = Readonly<Record<string, string | string[] | undefined>>;

/** Throws `invalid_parameter` with a fault for each parameter that is wrong. */
export function parseQuestion(query: RawQuery): RatesQuestion {
  const faults: ParameterFault[] = [];
  const from = readDay(query, 'date_from', faults);
  const to = readDay(query, 'date_to', faults);
  const origin = readEnd(query, 'orig_code', 'origin', faults);
  const destination = readEnd(query, 'dest_code', 'destination', faults);
  const minRevision = readRevision(query, 'min_revision', faults);
  const asOf = readRevision(query, 'as_of', faults);
  const statistics = readStatistics(query, faults);
  if (faults.length === 0 && to - from >= maximumDays) {
    faults.push({
      parameter: 'date_to',
      message: `the range spans ${to - from + 1} days`,
      expected: `at most ${maximumDays} days from date_from to date_to; ask for several ranges`,
    });
  }
  if (faults.length === 0) {
    const question: RatesQuestion = { origin, destination, from, to };
    if (minRevision !== undefined) question.minRevision = minRevision;
    if (asOf !== undefined) question.asOf = asOf;
    if (statistics.length > 0) question.statistics = statistics;
    return question;
  }
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

function readRevision(query: RawQuery, parameter: string, faults: ParameterFault[]): number | undefined {
  const value = first(query, parameter);
  if (value === undefined || /^[0-9]{1,15}$/.test(value)) return value === undefined ? value : Number(value);
  const expected = 'a whole number, as Rates-Revision has it';
  faults.push({
    parameter,
    message: `'${shorten(value)}' is not a revision`,
    expected,
    value: shorten(value),
  });
  return undefined;
}

/** Names between commas; each counts once. */
function readStatistics(query: RawQuery, faults: ParameterFault[]): Statistic[] {
  const value = first(query, 'stats');
  if (!value) return [];
  const names = [...new Set(value.split(','))];
  for (const name of names) {
    if (isStatistic(name)) continue;
    const expected = `some of ${statisticNames.join(', ')}, with commas between them`;
    faults.push({
      parameter: 'stats',
      message: `there is no statistic '${shorten(name)}'`,
      expected,
      value: shorten(value),
    });
  }
  return names.filter(isStatistic);
}

/** One end, in one of its two forms: a port's code as in the original service, or the name of a place. */
function readEnd(query: RawQuery, ofPort: string, ofPlace: string, faults: ParameterFault[]): End {
  const port = first(query, ofPort);
  const place = first(query, ofPlace);
  if (port !== undefined && place !== undefined) {
    faults.push({
      parameter: ofPlace,
      message: `comes together with ${ofPort}`,
      expected: `one of the two: ${ofPlace} for a port or a region, ${ofPort} for a port`,
      value: shorten(place),
    });
  }
  if (place !== undefined) {
    checkName(ofPlace, place, "a port's code or a region's slug, such as CNGGZ or north_sea", faults);
    return { place, parameter: ofPlace };
  }
  checkName(ofPort, port, `a port's code, such as CNGGZ; ${ofPlace} takes a region as well`, faults);
  return { port: port ?? '' };
}

function checkName(
  parameter: string,
  value: string | undefined,
  expected: string,
  faults: ParameterFault[],
): void {
  if (!value) faults.push({ parameter, message: 'is missing', expected });
  else if (value.includes('\0'))
    faults.push({ parameter, message: 'holds a NUL character', expected, value: shorten(value) });
}

const shorten = (value: string): string =>
  value.length > longestValue ? `${value.slice(0, longestValue)}…` : value;
