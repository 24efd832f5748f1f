/** An item as a JSON object: in go bytes, out come its four values, in plain form at once or as ranges to be checked. */
import type { FaultLog, Source } from './fault-log.js';
import { dayAt, dayField, destinationField, digitsEnd, fieldNames, originField } from './fields.js';
import { priceField, priceOf } from './fields.js';
import { absent, present, wrongType, type Row } from './items.js';
import type { JsonScanner } from './json-scanner.js';
import type { PortTable } from './ports.js';

const names: readonly string[] = fieldNames;
const keys = names.map((name) => Buffer.from(`"${name}"`));
const noKey = Buffer.from('\0');
const quote = 34;
const backslash = 92;

/** Reads objects of the four fields in any order, without escapes: nearly all there are, and several times as fast. */
export class PlainObject {
  origin = 0;
  destination = 0;
  day = 0;
  price = 0;
  readonly #ports: PortTable;
  readonly #overLines: boolean;

  /** `overLines`: an object may stand on several lines. */
  constructor(ports: PortTable, overLines: boolean) {
    this.#ports = ports;
    this.#overLines = overLines;
  }

  /** Where the object ends that begins at `from`, or -1 where it is not in plain form. */
  read(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== 123) return -1;
    let at = from;
    for (let seen = 0, count = 0; count < 4; count++) {
      at = this.#spaces(bytes, at + 1);
      const field = keyAt(bytes, at);
      if (field < 0 || seen & (1 << field)) return -1;
      seen |= 1 << field;
      at = this.#spaces(bytes, at + (keys[field]?.length ?? 0));
      if (bytes[at] !== 58) return -1;
      at = this.#value(bytes, this.#spaces(bytes, at + 1), field);
      if (at < 0) return -1;
      at = this.#spaces(bytes, at);
      if (bytes[at] !== (count < 3 ? 44 : 125)) return -1;
    }
    return this.origin === this.destination ? -1 : at + 1;
  }

  #spaces(bytes: Uint8Array, from: number): number {
    let at = from;
    for (
      let byte = bytes[at];
      byte === 32 || (this.#overLines && (byte === 10 || byte === 13 || byte === 9));
    )
      byte = bytes[++at];
    return at;
  }

  #value(bytes: Uint8Array, at: number, field: number): number {
    if (field === priceField) {
      const end = digitsEnd(bytes, at);
      this.price = priceOf(bytes, at, end);
      return this.price < 0 ? -1 : end;
    }
    if (bytes[at] !== quote) return -1;
    if (field === dayField) {
      this.day = dayAt(bytes, at + 1);
      return this.day < 0 || bytes[at + 11] !== quote ? -1 : at + 12;
    }
    let end = at + 1;
    for (
      let byte = bytes[end] ?? 0;
      byte >= 32 && byte !== quote && byte !== backslash;
      byte = bytes[end] ?? 0
    )
      end++;
    if (bytes[end] !== quote) return -1;
    const port = this.#ports.find(bytes, at + 1, end);
    if (field === originField) this.origin = port;
    else this.destination = port;
    return port < 0 ? -1 : end + 1;
  }
}

/** The field whose name stands at `at` in quotes, or -1. Two letters tell which it can only be. */
function keyAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at + 1];
  let field = dayField;
  if (first === 111) field = originField;
  else if (first === 112) field = priceField;
  else if (bytes[at + 2] === 101) field = destinationField;
  const key = keys[field] ?? noKey;
  for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return -1;
  return field;
}

/**
 * Takes the members of the object at `at`, whose syntax is known to be right, into `row`. Reports unknown, doubled and
 * missing fields; false where it did.
 */
export function readMembers(
  scanner: JsonScanner,
  at: number,
  row: Row,
  source: Source,
  faults: FaultLog,
): boolean {
  const { bytes } = scanner;
  const before = faults.total;
  row.clear();
  let next = scanner.space(at + 1);
  while (bytes[next] === quote) {
    const position = next;
    const afterKey = scanner.string(position);
    const from = scanner.space(scanner.space(afterKey) + 1);
    const end = scanner.value(from);
    const field = fieldOf(bytes, position, afterKey);
    if (field < 0 || row.state[field] !== absent) {
      const code = field < 0 ? 'field_unknown' : 'field_doubled';
      if (faults.tally(code)) faults.describe(code, source, position, stringAt(bytes, position, afterKey));
    } else takeValue(row, field, bytes, from, end);
    next = scanner.space(end);
    if (bytes[next] === 44) next = scanner.space(next + 1);
  }
  for (let field = 0; field < 4; field++) {
    if (row.state[field] === absent)
      faults.report('field_missing', source, next, { field: names[field] ?? null });
  }
  return faults.total === before;
}

/** The field that a name means, which may be written with escapes. */
function fieldOf(bytes: Uint8Array, from: number, end: number): number {
  const field = keyAt(bytes, from);
  if (field >= 0 || !hasEscape(bytes, from, end)) return field;
  const { bytes: text } = stringAt(bytes, from, end);
  return names.indexOf(Buffer.from(text).toString('latin1'));
}

function hasEscape(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (bytes[at] === backslash) return true;
  return false;
}

function takeValue(row: Row, field: number, bytes: Uint8Array, from: number, end: number): void {
  const isString = bytes[from] === quote;
  const first = bytes[from] ?? 0;
  const isNumber = first < 58 && !isString;
  if (field === priceField ? !isNumber : !isString) row.set(field, wrongType, bytes, from, end, from);
  else if (isNumber) row.set(field, present, bytes, from, end, from);
  else {
    const text = stringAt(bytes, from, end);
    row.set(field, present, text.bytes, text.start, text.end, from);
  }
}

/** The text of a string token: the bytes between its quotes, or bytes of its own where it has escapes. */
function stringAt(
  bytes: Uint8Array,
  from: number,
  end: number,
): { bytes: Uint8Array; start: number; end: number } {
  if (!hasEscape(bytes, from, end)) return { bytes, start: from + 1, end: end - 1 };
  const token = Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from);
  // As latin1, so that bytes that are not UTF-8 stay what they are; what escapes add becomes UTF-8.
  const pieces = token
    .toString('latin1')
    .slice(1, -1)
    .split(/((?:\\u[0-9A-Fa-f]{4})+|\\.)/)
    .map((piece, index) =>
      index % 2 === 1 ? Buffer.from(JSON.parse(`"${piece}"`) as string) : Buffer.from(piece, 'latin1'),
    );
  const text = Buffer.concat(pieces);
  return { bytes: text, start: 0, end: text.length };
}
