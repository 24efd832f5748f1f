/**
 * One CSV record by RFC 4180, whatever is wrong with its quotes: in go bytes, out come the ranges of its fields and
 * its oddities. Nothing is reported here, for a record may turn out to need more bytes.
 */
import type { FaultCode } from './faults.js';
import { present, reported } from './items.js';
import { longestLine } from './tail.js';

const comma = 44;
const quote = 34;
const newline = 10;
const carriageReturn = 13;

export interface CsvField {
  state: number;
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Where the field begins, its quote included. */
  position: number;
}

export interface CsvOddity {
  code: FaultCode;
  position: number;
  /** Number of the column it stands in. */
  column: number;
}

const more = -1;
const unclosed = -2;

export class CsvRecord {
  readonly fields: CsvField[] = [];
  readonly oddities: CsvOddity[] = [];
  /** Fields there are; `fields` keeps those of earlier records. */
  count = 0;
  /** Where the content ends, without the line end. */
  end = 0;
  /** Where the next record begins. */
  next = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #last = false;
  /** The first field with a line end inside its quotes. */
  #spanning = -1;

  /**
   * Reads the record at `start`; false where it needs more bytes. A quote that is not closed, or seems closed lines
   * later in a record of the wrong number of fields, ends the record with its line: it must not swallow the rest.
   */
  read(bytes: Buffer, start: number, last: boolean, columns: number | undefined): boolean {
    this.#bytes = bytes;
    this.#start = start;
    this.#last = last;
    this.count = 0;
    if (this.oddities.length > 0) this.oddities.length = 0;
    this.#spanning = -1;
    for (let at = start; ; at++) {
      const end = bytes[at] === quote ? this.#quoted(at) : this.#plain(at);
      if (end === more) return false;
      if (end === unclosed) {
        this.#giveUp(this.#spanning < 0 ? at : this.#spanningStart());
        return true;
      }
      at = end;
      if (bytes[at] === comma) continue;
      this.next = Math.min(at + 1, bytes.length);
      this.end = at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
      break;
    }
    if (this.#spanning >= 0 && columns !== undefined && this.count !== columns)
      this.#giveUp(this.#spanningStart());
    return true;
  }

  /** Whether a quote ended the record before its time. */
  get broken(): boolean {
    return this.oddities.at(-1)?.code === 'quote_unclosed';
  }

  /** Takes back the field that spans lines and all after it. */
  #spanningStart(): number {
    this.count = this.#spanning;
    return this.fields[this.#spanning]?.position ?? this.#start;
  }

  #giveUp(opened: number): void {
    while ((this.oddities.at(-1)?.position ?? -1) > opened) this.oddities.pop();
    this.oddities.push({ code: 'quote_unclosed', position: opened, column: this.count });
    const lineEnd = this.#bytes.indexOf(newline, opened);
    this.end = lineEnd < 0 ? this.#bytes.length : lineEnd;
    this.next = lineEnd < 0 ? this.#bytes.length : lineEnd + 1;
  }

  /** An unquoted field; returns where its delimiter is. */
  #plain(from: number): number {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter(from);
    if (delimiter < 0) return delimiter;
    const end = this.#trimmed(from, delimiter);
    let stray = from;
    while (stray < end && bytes[stray] !== quote) stray++;
    if (stray < end) this.oddities.push({ code: 'quote_stray', position: stray, column: this.count });
    this.#add(stray < end ? reported : present, bytes, from, end, from);
    return delimiter;
  }

  #quoted(from: number): number {
    const bytes = this.#bytes;
    let escaped = false;
    let close = from + 1;
    for (; ; close += 2) {
      close = bytes.indexOf(quote, close);
      const reach = (close < 0 ? bytes.length : close) - this.#start;
      if (reach > longestLine) return unclosed;
      if (close < 0) return this.#last ? unclosed : more;
      // The bytes after the quote say whether it closes: a second quote, or CR and LF.
      if (close + 2 >= bytes.length && !this.#last) return more;
      if (bytes[close + 1] !== quote) break;
      escaped = true;
    }
    const delimiter = this.#delimiter(close + 1);
    if (delimiter < 0) return delimiter;
    const spans = bytes.subarray(from, close).includes(newline);
    const followed = this.#trimmed(close + 1, delimiter) > close + 1;
    if (followed && spans) return unclosed;
    if (spans && this.#spanning < 0) this.#spanning = this.count;
    if (followed) this.oddities.push({ code: 'quote_followed', position: close + 1, column: this.count });
    if (escaped && !followed) {
      const text = Buffer.from(bytes.toString('latin1', from + 1, close).replaceAll('""', '"'), 'latin1');
      this.#add(present, text, 0, text.length, from);
    } else if (followed) this.#add(reported, bytes, from, this.#trimmed(from, delimiter), from);
    else this.#add(present, bytes, from + 1, close, from);
    return delimiter;
  }

  /** The next comma or line end, or the end of all bytes where nothing follows. */
  #delimiter(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (at < bytes.length && bytes[at] !== comma && bytes[at] !== newline) at++;
    if (at - this.#start > 2 * longestLine) return unclosed;
    return at < bytes.length || this.#last ? at : more;
  }

  #trimmed(from: number, delimiter: number): number {
    const bytes = this.#bytes;
    return bytes[delimiter] !== comma && delimiter > from && bytes[delimiter - 1] === carriageReturn
      ? delimiter - 1
      : delimiter;
  }

  #add(state: number, bytes: Uint8Array, start: number, end: number, position: number): void {
    const field = this.fields[this.count];
    if (field) {
      field.state = state;
      field.bytes = bytes;
      field.start = start;
      field.end = end;
      field.position = position;
    } else this.fields.push({ state, bytes, start, end, position });
    this.count++;
  }
}
