/**
 * Where the records of a batch end, as the service will read them: in go bytes from the start of a record on, out come
 * places where a file may be cut, so that its parts have the items and faults that the whole has. Pure.
 */
import { CsvRecord } from '../../../ingest/parse/csv-record.js';
import { fieldNames } from '../../../ingest/parse/fields.js';
import { longestLine } from '../../../ingest/parse/tail.js';

export type LineFormat = 'csv' | 'ndjson';

const lineFeed = 10;
const carriageReturn = 13;
const quote = 34;
const comma = 44;

export class Records {
  readonly #quotes: boolean;
  readonly #trailer: RegExp;
  readonly #record = new CsvRecord();

  constructor(format: LineFormat) {
    this.#quotes = format === 'csv';
    this.#trailer = format === 'csv' ? /^#items=/ : /^\s*\{\s*"items"\s*:/;
  }

  /** The end of the last record that ends in `bytes`; 0 where none does. Without quotes it costs next to nothing. */
  lastEnd(bytes: Buffer): number {
    const first = this.#quotes ? bytes.indexOf(quote) : -1;
    if (first < 0) return bytes.lastIndexOf(lineFeed) + 1;
    let at = bytes.lastIndexOf(lineFeed, first) + 1;
    for (let end = at; end >= 0; end = this.#end(bytes, at)) at = end;
    return at;
  }

  /**
   * The first end of a record at `least` or later after which the file may be cut; -1 where more bytes are needed. Not
   * after a blank line or a trailer: as the last line of a part it would be no fault.
   */
  cut(bytes: Buffer, least: number): number {
    for (let at = this.#end(bytes, 0); at >= 0; at = this.#end(bytes, at))
      if (at >= least && !this.isTail(lineBefore(bytes, at))) return at;
    return -1;
  }

  /** Whether a line is blank or looks like a trailer, which matters at the end of a file. */
  isTail(line: string): boolean {
    return line === '' || this.#trailer.test(line);
  }

  #end(bytes: Buffer, at: number): number {
    const plain = this.#quotes ? plainEnd(bytes, at) : -1;
    if (plain >= 0) return plain;
    const newline = bytes.indexOf(lineFeed, at);
    if (newline < 0 || !this.#quotes) return newline < 0 ? -1 : newline + 1;
    if (this.#trailer.test(bytes.toString('latin1', at, at + 10))) return newline + 1;
    return this.#record.read(bytes, at, false, fieldNames.length) ? this.#record.next : -1;
  }
}

/** Where a line ends whose quotes, if any, stand around whole fields; -1 for any other. */
function plainEnd(bytes: Buffer, start: number): number {
  const last = Math.min(bytes.length, start + longestLine);
  for (let at = start; at < last; at++) {
    if (bytes[at] === quote) {
      for (at++; at < last && bytes[at] !== quote; at++) if (bytes[at] === lineFeed) return -1;
      at++;
      if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) at++;
    } else
      while (at < last && bytes[at] !== comma && bytes[at] !== lineFeed) if (bytes[at++] === quote) return -1;
    if (at >= last) return -1;
    if (bytes[at] === lineFeed) return at + 1;
    if (bytes[at] !== comma) return -1;
  }
  return -1;
}

/** The line that ends before `end`, or its beginning, without its line end. */
export function lineBefore(bytes: Buffer, end: number): string {
  const start = end < 2 ? 0 : bytes.lastIndexOf(lineFeed, end - 2) + 1;
  const text = bytes.toString('utf8', start, Math.min(end, start + longestTail));
  return text.replace(/\r?\n?$/, '');
}

/** Longer than any trailer that counts. */
const longestTail = 1_000;
