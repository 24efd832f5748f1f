/** A row of COPY's text format: in go the bytes of a line, out come its fields. Pure. */
import { isUtf8 } from 'node:buffer';

const tab = 9;
const backslash = 92;

/**
 * The fields of a row; null where the field is `\N`. Throws an Error that says what is wrong.
 * Source: PostgreSQL documentation, COPY, "Text Format".
 */
export function copyFields(bytes: Buffer, start: number, end: number): (string | null)[] {
  const line = bytes.subarray(start, end);
  if (!isUtf8(line)) throw new Error('the line is not UTF-8');
  const fields: (string | null)[] = [];
  let from = 0;
  for (let at = 0; at <= line.length; at++) {
    if (at < line.length && line[at] !== tab) continue;
    fields.push(unescape(line.toString('utf8', from, at)));
    from = at + 1;
  }
  return fields;
}

const letters: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescape(field: string): string | null {
  if (field === '\\N') return null;
  if (!field.includes('\\')) return field;
  if (/\\(?:[0-7]|x[0-9A-Fa-f])/.test(field.replaceAll('\\\\', '')))
    throw new Error('numeric escapes are not supported');
  return field.replace(/\\(.)/gsu, (_, letter: string) => letters[letter] ?? letter);
}

/**
 * The price row `orig_code, dest_code, day, price` read from its bytes: about six times as fast as by fields, and a
 * dump is nearly all price rows. False where the row is not in the plain form; then copyFields says what it is.
 */
export interface PriceRow {
  /** End of the two codes and the tab between them. */
  laneEnd: number;
  year: number;
  month: number;
  dayOfMonth: number;
  price: number;
}

export function readPriceRow(bytes: Buffer, start: number, end: number, row: PriceRow): boolean {
  let at = start;
  let tabs = 0;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash || byte >= 0x80) return false;
    if (byte === tab && ++tabs === 2) break;
  }
  row.laneEnd = at;
  const day = at + 1;
  if (bytes[day + 4] !== 45 || bytes[day + 7] !== 45 || bytes[day + 10] !== tab) return false;
  row.year = digits(bytes, day, day + 4);
  row.month = digits(bytes, day + 5, day + 7);
  row.dayOfMonth = digits(bytes, day + 8, day + 10);
  row.price = end - day - 11 > 10 ? -1 : digits(bytes, day + 11, end);
  return row.year >= 0 && row.month >= 0 && row.dayOfMonth >= 0 && row.price >= 0;
}

/** The number that the ASCII digits from `start` to `end` write, or -1. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
