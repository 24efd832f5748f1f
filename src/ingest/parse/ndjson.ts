/** NDJSON: in go bytes from the start of a line on, one object a line, out come items and faults. */
import { Row, type Items } from './items.js';
import { PlainObject, readMembers } from './json-object.js';
import { JsonScanner } from './json-scanner.js';
import { LineReader } from './line-reader.js';

const longestTrailer = 200;
/** With JSON's own white space, of which a vertical tab or a no-break space is none. */
const trailer = /^\{[ \t\r\n]*"items"[ \t\r\n]*:[ \t\r\n]*([^,]*?)[ \t\r\n]*\}[ \t\r\n]*$/;

export class NdjsonReader extends LineReader {
  protected readonly begun = true;
  readonly #scanner = new JsonScanner();
  readonly #plain: PlainObject;
  readonly #row = new Row();

  constructor(items: Items) {
    super(items);
    this.#plain = new PlainObject(items.ports, false);
  }

  protected declaration(at: number, end: number): string | undefined {
    if (end - at > longestTrailer || this.bytes[at] !== 123) return undefined;
    this.#scanner.open(this.bytes, end);
    const name = this.#scanner.space(at + 1);
    if (this.bytes[name + 1] !== 105) return undefined;
    const text = this.bytes.toString('utf8', at, end);
    return trailer.exec(text)?.[1];
  }

  protected readPlain(from: number, limit: number): number {
    const { bytes, items } = this;
    const plain = this.#plain;
    let start = from;
    while (start < limit) {
      let end = plain.read(bytes, start);
      if (end < 0) break;
      if (bytes[end] === 13) end++;
      if (bytes[end] !== 10) break;
      items.take(plain.origin, plain.destination, plain.day, plain.price);
      this.line++;
      start = end + 1;
    }
    return start;
  }

  protected readRecord(at: number, end: number): number {
    const { bytes, items } = this;
    const scanner = this.#scanner;
    const next = Math.min(bytes.length, (bytes[end] === 13 ? end + 1 : end) + 1);
    scanner.open(bytes, end);
    const start = scanner.space(at);
    if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
      items.faults.report('bom_inside', this, start);
      items.came++;
      return next;
    }
    let after = scanner.value(start);
    if (after >= 0 && scanner.space(after) < end) {
      const detail = 'text follows the object; each line holds one';
      items.faults.report('json_syntax', this, scanner.space(after), { detail });
      after = -1;
    } else if (after < 0) {
      const detail = scanner.problem.message;
      items.faults.report('json_syntax', this, scanner.problem.at, { detail });
    } else if (bytes[start] !== 123)
      items.faults.report('item_not_object', this, start, { bytes, start, end: after });
    else {
      const sound = readMembers(scanner, start, this.#row, this, items.faults);
      items.check(this.#row, this, sound);
      return next;
    }
    items.came++;
    return next;
  }
}
