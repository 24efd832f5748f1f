/** Days as whole numbers since 1970-01-01, so that no time zone and no clock takes part. */

const millisecondsPerDay = 86_400_000;

/** First and last day an item may have: 1970-01-01 and 2058-12-31. */
export const firstItemDay = 0;
export const lastItemDay = Date.UTC(2058, 11, 31) / millisecondsPerDay;

/**
 * The day of a calendar date, or undefined where there is no such date (year 1 to 9999, proleptic Gregorian).
 * Source: days_from_civil in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"; years begin in March there.
 */
export function dayOf(year: number, month: number, dayOfMonth: number): number | undefined {
  if (!(year >= 1 && year <= 9999 && month >= 1 && month <= 12 && dayOfMonth >= 1)) return undefined;
  if (dayOfMonth > monthLength(year, month)) return undefined;
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - daysFromMarchOfYear0;
}

/** Days from 0000-03-01 to 1970-01-01. */
const daysFromMarchOfYear0 = 719_468;

function monthLength(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Reads YYYY-MM-DD; month and day may have one digit, as the original service took them. ASCII digits only. */
export function parseDay(text: string): number | undefined {
  // All but a few are written so, and what a regular expression leaves behind costs more than finding it.
  if (text.length === 10 && text[4] === '-' && text[7] === '-') {
    return dayOf(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10));
  }
  const match = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/.exec(text);
  return match ? dayOf(Number(match[1]), Number(match[2]), Number(match[3])) : undefined;
}

/** NaN where anything but a digit is among them. */
function digits(text: string, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** Writes YYYY-MM-DD. */
export function formatDay(day: number): string {
  return new Date(day * millisecondsPerDay).toISOString().slice(0, 10);
}

/** Months since year 0, equal for days of one calendar month. */
export function monthOf(day: number): number {
  const date = new Date(day * millisecondsPerDay);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}
