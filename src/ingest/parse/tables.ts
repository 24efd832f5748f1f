/**
 * The three tables of the rates database: in go their rows as COPY writes them, out go checked ports, regions and
 * items. Used for a dump's file and for tables that psql loaded alike. Collects an order-independent content hash.
 */
import { dayOf, firstItemDay, formatDay, lastItemDay, parseDay } from '../../days.js';
import { ContentHash } from '../content-hash.js';
import { copyFields, readPriceRow, type PriceRow } from './copy-row.js';

export const tableColumns = {
  ports: ['code', 'name', 'parent_slug'],
  prices: ['orig_code', 'dest_code', 'day', 'price'],
  regions: ['slug', 'name', 'parent_slug'],
} as const satisfies Record<string, readonly string[]> as Record<TableName, readonly string[]>;

export type TableName = 'ports' | 'prices' | 'regions';

export interface PlaceLine {
  code: string;
  name: string;
  parent: string | null;
  line: number;
}

/** Takes what the rows say. `lane` numbers lanes from 0 in the order they first appear. */
export interface TableSink {
  port(place: PlaceLine): void;
  region(place: PlaceLine): void;
  lane(origin: string, destination: string, line: number): void;
  item(lane: number, day: number, price: number): void;
}

type ReadRow = (bytes: Buffer, start: number, end: number, line: number) => void;

const highestPrice = 2 ** 31 - 1;

export class TableReader {
  readonly hash = new ContentHash();
  readonly #sink: TableSink;
  readonly #lanes = new Map<string, number>();
  readonly #places = { ports: new Set<string>(), regions: new Set<string>() };
  #line = 0;
  readonly #row: PriceRow = { laneEnd: 0, year: 0, month: 0, dayOfMonth: 0, price: 0 };

  constructor(sink: TableSink) {
    this.#sink = sink;
  }

  /** Reads rows whose columns come in the order given. The reader throws an Error that says what is wrong with a row. */
  rowReader(table: TableName, columns: readonly string[]): ReadRow {
    if (table === 'prices') {
      const slow = this.#fieldReader(table, columns, (fields) => this.#price(fields));
      const plain = columns.join() === tableColumns.prices.join();
      return plain
        ? (bytes, start, end, line) =>
            this.#plainPrice(bytes, start, end, line) || slow(bytes, start, end, line)
        : slow;
    }
    return this.#fieldReader(table, columns, (fields, line) => this.#place(table, fields, line));
  }

  #fieldReader(
    table: TableName,
    columns: readonly string[],
    take: (fields: (string | null)[], line: number) => void,
  ): ReadRow {
    const order = tableColumns[table].map((column) => columns.indexOf(column));
    return (bytes, start, end, line) => {
      const fields = copyFields(bytes, start, end);
      if (fields.length !== columns.length)
        throw new Error(`${columns.length} fields expected, ${fields.length} found`);
      const ordered = order.map((index) => fields[index] ?? null);
      this.hash.add(table, ordered);
      this.#line = line;
      take(ordered, line);
    };
  }

  #place(table: 'ports' | 'regions', [code, name, parent]: (string | null)[], line: number): void {
    const [codeColumn, nameColumn, parentColumn] = tableColumns[table];
    if (!code) throw new Error(`${codeColumn} is missing`);
    if (name === null || name === undefined) throw new Error(`${nameColumn} is missing`);
    if (table === 'ports' && !parent) throw new Error(`${parentColumn} is missing`);
    if (this.#places[table].has(code)) throw new Error(`'${code}' comes a second time`);
    this.#places[table].add(code);
    const place = { code, name, parent: parent ?? null, line };
    if (table === 'ports') this.#sink.port(place);
    else this.#sink.region(place);
  }

  #price([origin, destination, dayText, priceText]: (string | null)[]): void {
    if (!origin) throw new Error('orig_code is missing');
    if (!destination) throw new Error('dest_code is missing');
    const day = parseDay(dayText ?? '');
    if (day === undefined) throw new Error(`day '${dayText ?? '\\N'}' is not a date`);
    if (!/^-?[0-9]+$/.test(priceText ?? ''))
      throw new Error(`price '${priceText ?? '\\N'}' is not a whole number`);
    this.#item(this.#laneNumber(`${origin}\t${destination}`), day, Number(priceText));
  }

  /** The fast path; false where the row needs the slow one. */
  #plainPrice(bytes: Buffer, start: number, end: number, line: number): boolean {
    const row = this.#row;
    if (!readPriceRow(bytes, start, end, row)) return false;
    const day = dayOf(row.year, row.month, row.dayOfMonth);
    const key = bytes.toString('latin1', start, row.laneEnd);
    if (day === undefined || key.startsWith('\t') || key.endsWith('\t')) return false;
    this.#line = line;
    this.hash.addBytes('prices', bytes.subarray(start, end));
    this.#item(this.#laneNumber(key), day, row.price);
    return true;
  }

  #laneNumber(key: string): number {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const [origin = '', destination = ''] = key.split('\t');
    const number = this.#lanes.size;
    this.#lanes.set(key, number);
    this.#sink.lane(origin, destination, this.#line);
    return number;
  }

  #item(lane: number, day: number, price: number): void {
    if (day < firstItemDay || day > lastItemDay) {
      throw new Error(
        `day ${formatDay(day)} is outside ${formatDay(firstItemDay)} to ${formatDay(lastItemDay)}`,
      );
    }
    if (price < 1 || price > highestPrice) throw new Error(`price ${price} is outside 1 to ${highestPrice}`);
    this.#sink.item(lane, day, price);
  }
}
