/**
 * Checking one item: in go the bytes of its four fields, out comes either an item or every fault it has. Rows in plain
 * form go past this by `take`; what comes to `check` may be odd in any way.
 */
import { isUtf8 } from 'node:buffer';
import { dayOf } from '../../days.js';
import type { FaultLog, Source } from './fault-log.js';
import type { FaultCode } from './faults.js';
import { dayAt, dayField, destinationField, digitsEnd, fieldNames, originField } from './fields.js';
import { priceField, priceOf, twoDigits } from './fields.js';
import { LaneTable, type PortTable } from './ports.js';

export interface ItemSink {
  /** `lane` counts from 0 in the order lanes first appear, `day` from 1970-01-01. */
  item(lane: number, day: number, price: number): void;
}

/** What is known of a field of a row: not there, to be checked, already reported, or of the wrong JSON type. */
export const absent = 0;
export const present = 1;
export const reported = 2;
export const wrongType = 3;

/** The four fields of a record, each a range of bytes; used again for the next record. */
export class Row {
  readonly state = new Uint8Array(4);
  readonly start = new Int32Array(4);
  readonly end = new Int32Array(4);
  /** Where the field begins in the source. */
  readonly position = new Int32Array(4);
  readonly bytes: Uint8Array[] = [noBytes, noBytes, noBytes, noBytes];

  clear(): void {
    for (let field = 0; field < this.state.length; field++) this.state[field] = absent;
  }

  set(field: number, state: number, bytes: Uint8Array, start: number, end: number, position: number): void {
    this.state[field] = state;
    this.bytes[field] = bytes;
    this.start[field] = start;
    this.end[field] = end;
    this.position[field] = position;
  }
}

const noBytes = new Uint8Array(0);

export class Items {
  /** Items that came, good or bad. */
  came = 0;
  readonly lanes = new LaneTable();
  readonly ports: PortTable;
  readonly faults: FaultLog;
  readonly #sink: ItemSink;

  constructor(ports: PortTable, faults: FaultLog, sink: ItemSink) {
    this.ports = ports;
    this.faults = faults;
    this.#sink = sink;
  }

  /** Takes a good item. Once there is a fault the batch is lost, and only faults are looked for. */
  take(origin: number, destination: number, day: number, price: number): void {
    this.came++;
    if (this.faults.total === 0) this.#sink.item(this.lanes.number(origin, destination), day, price);
  }

  /** Takes the item where its row has no fault; `sound` is false where the reader has already reported one. */
  check(row: Row, source: Source, sound: boolean): void {
    const before = this.faults.total;
    const origin = this.#port(row, originField, source);
    const destination = this.#port(row, destinationField, source);
    const day = this.#day(row, source);
    const price = this.#price(row, source);
    if (origin >= 0 && origin === destination) this.#report('same_port', row, destinationField, source);
    if (sound && this.faults.total === before) this.take(origin, destination, day, price);
    else this.came++;
  }

  #port(row: Row, field: number, source: Source): number {
    const { bytes, start, end } = this.#range(row, field);
    if (row.state[field] === present) {
      const port = this.ports.find(bytes, start, end);
      if (port >= 0) return port;
    }
    if (this.#checkable(row, field, source)) {
      const guess = this.faults.keeping ? this.ports.guess(textOf(bytes, start, end)) : '';
      this.#report('port_unknown', row, field, source, guess);
    }
    return -1;
  }

  #day(row: Row, source: Source): number {
    const { bytes, start, end } = this.#range(row, dayField);
    if (row.state[dayField] === present && end - start === 10) {
      const day = dayAt(bytes, start);
      if (day >= 0) return day;
    }
    if (this.#checkable(row, dayField, source))
      this.#report(isDate(bytes, start, end) ? 'day_outside' : 'day_invalid', row, dayField, source);
    return -1;
  }

  #price(row: Row, source: Source): number {
    const { bytes, start, end } = this.#range(row, priceField);
    if (row.state[priceField] === present && digitsEnd(bytes, start) >= end) {
      const price = priceOf(bytes, start, end);
      if (price >= 0) return price;
    }
    if (row.state[priceField] === wrongType) this.#report('price_invalid', row, priceField, source);
    else if (this.#checkable(row, priceField, source))
      this.#report(isWhole(bytes, start, end) ? 'price_outside' : 'price_invalid', row, priceField, source);
    return -1;
  }

  #range(row: Row, field: number): { bytes: Uint8Array; start: number; end: number } {
    return { bytes: row.bytes[field] ?? noBytes, start: row.start[field] ?? 0, end: row.end[field] ?? 0 };
  }

  /** False where the field is not there or cannot be read as text, which is reported here. */
  #checkable(row: Row, field: number, source: Source): boolean {
    const { bytes, start, end } = this.#range(row, field);
    if (row.state[field] === wrongType) this.#report('field_type', row, field, source);
    if (row.state[field] !== present) return false;
    if (start === end) {
      this.#report('field_empty', row, field, source);
      return false;
    }
    if (isPlain(bytes, start, end)) return true;
    const position = row.position[field] ?? 0;
    return !reportText(this.faults, source, fieldNames[field] ?? null, { bytes, start, end, position });
  }

  #report(code: FaultCode, row: Row, field: number, source: Source, detail = ''): void {
    if (!this.faults.tally(code)) return;
    const range = this.#range(row, field);
    const told = { field: fieldNames[field] ?? null, ...range, detail };
    this.faults.describe(code, source, row.position[field] ?? 0, told);
  }
}

/**
 * Reports what makes a range no text at all: bytes that are not UTF-8, NUL, a byte order mark. True where it did.
 * The place is exact, but for a field whose bytes are not those of the source: that one begins at `position`.
 */
export function reportText(
  faults: FaultLog,
  source: Source,
  field: string | null,
  range: { bytes: Uint8Array; start: number; end: number; position: number },
): boolean {
  const { bytes, start, end, position } = range;
  if (isPlain(bytes, start, end)) return false;
  const found = textFault(bytes.subarray(start, end));
  if (!found) return false;
  const exact = bytes === source.bytes ? start + found.offset : position;
  faults.report(found.code, source, exact, { field, bytes, start, end });
  return true;
}

/** Whether all is ASCII without NUL. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0 || byte >= 0x80) return false;
  }
  return true;
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

function textFault(bytes: Uint8Array): { code: FaultCode; offset: number } | undefined {
  if (!isUtf8(bytes)) return { code: 'not_utf8', offset: firstOddByte(bytes) };
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { code: 'nul_character', offset: zero };
  const mark = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(byteOrderMark);
  return mark >= 0 ? { code: 'bom_inside', offset: mark } : undefined;
}

/** Where the first sequence begins that is not UTF-8. */
function firstOddByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}

/** Whether these are a date of the calendar written YYYY-MM-DD, inside the window or not. */
function isDate(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return false;
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  return dayOf(year, twoDigits(bytes, start + 5), twoDigits(bytes, start + 8)) !== undefined;
}

/** Whether these are a whole number in plain digits, in range or not: no sign but minus, no leading zero. */
function isWhole(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === 45 ? start + 1 : start;
  if (digitsEnd(bytes, first) < end || first === end) return false;
  return bytes[first] !== 48 || (end - start === 1 && first === start);
}

const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
