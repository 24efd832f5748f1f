/**
 * pg_dump's plain format: in go the bytes of a dump, out come the rows of its three tables with their lines.
 * Nothing of the file is executed; whatever does not fit is refused with its line.
 */
import { FairwayError, messageOf } from '../../errors.js';
import { LineSplitter } from './lines.js';
import { tableColumns, type TableName, type TableReader } from './tables.js';

const refuse = (line: number, message: string): FairwayError =>
  new FairwayError('dump_invalid', `line ${line}: ${message}`, { line });

const copyStatement = /^COPY (?:(?:"?public"?)\.)?"?([A-Za-z_][A-Za-z0-9_$]*)"? \(([^)]*)\) FROM stdin;$/;
const closing = '-- PostgreSQL database dump complete';

interface OpenCopy {
  table: TableName;
  row: (bytes: Buffer, start: number, end: number, line: number) => void;
}

/** Reads a dump. Throws `dump_invalid` with the line for anything odd, and for a dump that ends too early. */
export class DumpReader {
  readonly #tables: TableReader;
  readonly #splitter: LineSplitter;
  readonly #seen = new Set<TableName>();
  #line = 0;
  #copying: OpenCopy | undefined;
  #complete = false;

  constructor(tables: TableReader) {
    this.#tables = tables;
    this.#splitter = new LineSplitter((bytes, start, end) => this.#onLine(bytes, start, end));
  }

  write(chunk: Buffer): void {
    if (this.#line === 0 && chunk.subarray(0, 5).toString('latin1') === 'PGDMP') {
      throw refuse(1, 'this is pg_dump’s custom format; make it plain with: pg_restore -f dump.sql FILE');
    }
    if (this.#line === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b) {
      throw refuse(1, 'the file is compressed; unpack it first with gunzip');
    }
    try {
      this.#splitter.write(chunk);
    } catch (error) {
      throw error instanceof RangeError ? refuse(this.#line + 1, error.message) : error;
    }
  }

  end(): void {
    // A row that was cut off would otherwise be called odd, and that is not what is wrong with the file.
    if (this.#copying && this.#splitter.unfinished) this.#line++;
    else this.#splitter.end();
    if (this.#line === 0) throw refuse(1, 'the file is empty');
    if (this.#copying)
      throw refuse(this.#line, `the file ends within the rows of ${this.#copying.table}; it was cut off`);
    const missing = Object.keys(tableColumns).filter((table) => !this.#seen.has(table as TableName));
    if (missing.length > 0)
      throw refuse(this.#line, `the file ends without the rows of ${missing.join(', ')}`);
    if (!this.#complete) throw refuse(this.#line, `the file ends without '${closing}'; it was cut off`);
  }

  #onLine(bytes: Buffer, start: number, end: number): void {
    this.#line++;
    if (this.#copying) return this.#onRow(bytes, start, end, this.#copying);
    const text = bytes.toString('utf8', start, end);
    if (this.#line === 1 && !text.startsWith('--')) {
      throw refuse(1, 'this does not begin like pg_dump’s plain format, which starts with a comment (--)');
    }
    if (text === closing) this.#complete = true;
    else if (text.startsWith('COPY ')) this.#openCopy(text);
    else if (/^INSERT INTO /i.test(text))
      throw refuse(this.#line, 'rows are INSERT statements; dump without --inserts, so that they are COPY');
    else if (/^(UPDATE|DELETE|DROP|TRUNCATE|DO) /i.test(text))
      throw refuse(this.#line, `'${text.slice(0, 40)}' is nothing a plain dump of the rates database holds`);
  }

  #onRow(bytes: Buffer, start: number, end: number, copying: OpenCopy): void {
    if (end - start === 2 && bytes[start] === 92 && bytes[start + 1] === 46) {
      this.#copying = undefined;
      return;
    }
    try {
      copying.row(bytes, start, end, this.#line);
    } catch (error) {
      throw error instanceof FairwayError
        ? error
        : refuse(this.#line, `${copying.table}: ${messageOf(error)}`);
    }
  }

  #openCopy(text: string): void {
    const match = copyStatement.exec(text);
    const name = match?.[1] ?? '';
    if (!match || !Object.hasOwn(tableColumns, name)) {
      throw refuse(
        this.#line,
        `'${text.slice(0, 80)}' is not a COPY of public.ports, prices or regions; dump just those tables`,
      );
    }
    const table = name as TableName;
    if (this.#seen.has(table)) throw refuse(this.#line, `the rows of ${table} come a second time`);
    this.#seen.add(table);
    const columns = (match[2] ?? '').split(', ').map((column) => column.replaceAll('"', ''));
    const expected = tableColumns[table];
    const missing = expected.filter((column) => !columns.includes(column));
    if (missing.length > 0) throw refuse(this.#line, `${table} has no column ${missing.join(', ')}`);
    const extra = columns.filter((column) => !expected.includes(column));
    if (extra.length > 0) throw refuse(this.#line, `${table} has the unknown column ${extra.join(', ')}`);
    this.#copying = { table, row: this.#tables.rowReader(table, columns) };
  }
}
