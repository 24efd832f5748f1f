/**
 * CSV: in go bytes from the start of a record on, out come items and faults. Rows in plain form (known ports, a date,
 * a price, quoted or not) are read from their bytes in one pass; any other row is taken apart by `CsvRecord`.
 */
import { readHeader, type CsvHeader } from './csv-header.js';
import { CsvRecord, type CsvOddity } from './csv-record.js';
import { dayAt, dayField, digitsEnd, fieldNames, originField, priceField, priceOf } from './fields.js';
import { Row } from './items.js';
import { LineReader } from './line-reader.js';

const trailerMark = Buffer.from('#items=');

export class CsvReader extends LineReader {
  readonly #record = new CsvRecord();
  readonly #row = new Row();
  #header: CsvHeader | undefined;
  /** Columns of a header that names the four fields and nothing else, which is what makes the fast way possible. */
  #plain: number[] | undefined;

  protected get begun(): boolean {
    return this.#header !== undefined;
  }

  protected declaration(at: number, end: number): string | undefined {
    if (this.bytes[at] !== trailerMark[0]) return undefined;
    const from = at + trailerMark.length;
    return this.bytes.subarray(at, from).equals(trailerMark)
      ? this.bytes.toString('utf8', from, end)
      : undefined;
  }

  protected readPlain(from: number, limit: number): number {
    return this.#plain ? this.#readPlain(this.#plain, from, limit) : from;
  }

  protected readRecord(at: number, _end: number, last: boolean): number {
    const record = this.#record;
    if (!record.read(this.bytes, at, last, this.#header?.columns.length)) return -1;
    const { faults } = this.items;
    for (const oddity of record.oddities) this.#reportOddity(oddity);
    if (this.#header) this.#takeRow(this.#header.columns);
    else {
      this.#header = readHeader(record, this, faults);
      this.ignoring = !this.#header.complete;
      if (this.#header.columns.length === 4 && this.#header.complete) this.#plain = this.#header.columns;
    }
    return record.next;
  }

  #readPlain(columns: readonly number[], from: number, limit: number): number {
    const { bytes } = this;
    const { ports } = this.items;
    let start = from;
    let origin = 0;
    let destination = 0;
    let day = 0;
    let price = 0;
    while (start < limit) {
      let end = start - 1;
      for (let column = 0; column < 4; column++) {
        const quoted = bytes[end + 1] === 34;
        const at = quoted ? end + 2 : end + 1;
        switch (columns[column]) {
          case dayField:
            end = at + 10;
            if ((day = dayAt(bytes, at)) < 0) return start;
            break;
          case priceField:
            end = digitsEnd(bytes, at);
            if ((price = priceOf(bytes, at, end)) < 0) return start;
            break;
          case originField:
            end = codeEnd(bytes, at);
            if ((origin = ports.find(bytes, at, end)) < 0) return start;
            break;
          default:
            end = codeEnd(bytes, at);
            if ((destination = ports.find(bytes, at, end)) < 0) return start;
        }
        if (quoted && bytes[end++] !== 34) return start;
        if (column < 3 && bytes[end] !== 44) return start;
      }
      if (bytes[end] === 13) end++;
      if (bytes[end] !== 10 || origin === destination) return start;
      this.items.take(origin, destination, day, price);
      this.line++;
      start = end + 1;
    }
    return start;
  }

  #reportOddity({ code, position, column }: CsvOddity): void {
    const { count, fields, end: recordEnd } = this.#record;
    const known = column < count ? fields[column] : undefined;
    const field = fieldNames[this.#header?.columns[column] ?? -1] ?? null;
    const { start = position, end = recordEnd } = known ?? {};
    this.items.faults.report(code, this, position, { field, bytes: this.bytes, start, end });
  }

  #takeRow(columns: readonly number[]): void {
    const { faults } = this.items;
    const { count, fields, broken, oddities, end } = this.#record;
    this.#row.clear();
    for (let column = 0; column < columns.length; column++) {
      const field = columns[column] ?? -1;
      const found = fields[column];
      if (field < 0) continue;
      if (column < count && found)
        this.#row.set(field, found.state, found.bytes, found.start, found.end, found.position);
      else if (!broken) faults.report('field_missing', this, end, { field: fieldNames[field] ?? null });
    }
    if (count > columns.length) {
      const { position = 0, bytes, start = 0, end: fieldEnd = 0 } = fields[columns.length] ?? {};
      const detail = `${count} fields, where the header has ${columns.length}`;
      faults.report('field_extra', this, position, { bytes, start, end: fieldEnd, detail });
    }
    const sound = oddities.length === 0 && count === columns.length;
    this.items.check(this.#row, this, sound);
  }
}

/** Where a code ends: at a comma, a quote or a line end. */
function codeEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let byte = bytes[end] ?? 0; byte >= 32 && byte !== 44 && byte !== 34; byte = bytes[end] ?? 0) end++;
  return end;
}
