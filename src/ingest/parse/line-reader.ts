/**
 * What CSV and NDJSON have in common: records are lines, the last may be blank or a trailer, none may be too long.
 * In go bytes, out come positions of records for the reader of the format.
 */
import type { Place, Source } from './fault-log.js';
import { placeIn, type FormatReader } from './format.js';
import type { Items } from './items.js';
import { longestLine, Tail } from './tail.js';

export abstract class LineReader implements FormatReader, Source {
  bytes: Buffer = Buffer.alloc(0);
  /** Set where the rest cannot be understood: it is not read. */
  protected ignoring = false;
  /** Line of the record that is being read. */
  protected line = 1;
  protected readonly items: Items;
  readonly #tail: Tail;
  #recordStart = 0;
  #skipping = false;

  constructor(items: Items) {
    this.items = items;
    this.#tail = new Tail(items);
  }

  /** Reads records in plain form; returns where the first other one begins. Each ends before `limit`, after a line end. */
  protected abstract readPlain(at: number, limit: number): number;

  /** Reads the record of the line from `at` to `end`; returns where the next begins, or -1 where it needs more bytes. */
  protected abstract readRecord(at: number, end: number, last: boolean): number;

  /** What the line declares as the number of items, where it is a trailer. */
  protected abstract declaration(at: number, end: number): string | undefined;

  /** Whether a line may be too long or blank, for records have begun. */
  protected abstract get begun(): boolean;

  read(bytes: Buffer, last: boolean): number {
    this.bytes = bytes;
    let at = this.#skipping ? this.#skipLine(0) : 0;
    const wholeLines = bytes.lastIndexOf(10) + 1;
    while (at < bytes.length && !this.ignoring) {
      if (!this.#tail.open) at = this.readPlain(at, wholeLines);
      if (at >= bytes.length) break;
      const next = this.#readAny(at, last);
      if (next < 0) return at;
      at = next;
    }
    return bytes.length;
  }

  end(declared: number | undefined): void {
    if (!this.ignoring) this.#tail.end(this.line, declared);
  }

  place(position: number): Place {
    return placeIn(this.bytes, this.#recordStart, position, { line: this.line, column: 1 });
  }

  #readAny(at: number, last: boolean): number {
    const { bytes } = this;
    const newline = bytes.indexOf(10, at);
    const lineEnd = newline < 0 ? bytes.length : newline;
    if (lineEnd - at > longestLine) return this.#tooLong(at);
    if (newline < 0 && !last) return -1;
    const end = lineEnd > at && bytes[lineEnd - 1] === 13 ? lineEnd - 1 : lineEnd;
    const declaration = this.begun ? this.declaration(at, end) : undefined;
    if (declaration === undefined && !(this.begun && end === at))
      return this.#readRecord(at, end, lineEnd, last);
    if (declaration === undefined) this.#tail.blank(this.line);
    else this.#tail.trailer(declaration, this.line);
    this.line++;
    return Math.min(lineEnd + 1, bytes.length);
  }

  #readRecord(at: number, end: number, lineEnd: number, last: boolean): number {
    this.#recordStart = at;
    this.#tail.record();
    this.items.faults.beginRecord();
    const next = this.readRecord(at, end, last);
    this.items.faults.endRecord();
    // Nearly every record is one line, whose end is known.
    if (next === Math.min(lineEnd + 1, this.bytes.length)) this.line++;
    else this.line += lineEnds(this.bytes, at, next);
    return next;
  }

  #tooLong(at: number): number {
    const { faults } = this.items;
    this.#recordStart = at;
    this.#tail.record();
    faults.beginRecord();
    faults.report('line_too_long', this, at);
    faults.endRecord();
    if (this.begun) this.items.came++;
    else this.ignoring = true;
    return this.#skipLine(at);
  }

  /** Goes past the end of the line, as far as it has come. */
  #skipLine(at: number): number {
    const newline = this.bytes.indexOf(10, at);
    this.#skipping = newline < 0;
    if (newline < 0) return this.bytes.length;
    this.line++;
    return newline + 1;
  }
}

function lineEnds(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
