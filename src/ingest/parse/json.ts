/**
 * A JSON document, an array of items or {"prices": […]}: in go its bytes, out come items and faults. Read item by item,
 * so that it costs no more memory than lines do. Faults of an item name its number, faults of syntax line and column.
 */
import { wholeLine, type Place, type Source } from './fault-log.js';
import { placeIn, type FormatReader } from './format.js';
import { Row, type Items } from './items.js';
import { PlainObject, readMembers } from './json-object.js';
import { JsonScanner } from './json-scanner.js';
import { longestLine, reportEnd } from './tail.js';

export const largestDocument = 64 * 1024 * 1024;

const more = -1;
const shape = 'an array of items or {"prices": […]} is expected';

/** What may come next: the tokens before the array, an item, what separates items, what closes the document. */
type State = 'document' | 'prices' | 'colon' | 'array' | 'first' | 'item' | 'separator' | 'brace' | 'done';

const tokens: Partial<Record<State, { token: Buffer; state: State }>> = {
  prices: { token: Buffer.from('"prices"'), state: 'colon' },
  colon: { token: Buffer.from(':'), state: 'array' },
  array: { token: Buffer.from('['), state: 'first' },
  brace: { token: Buffer.from('}'), state: 'done' },
};

export class JsonReader implements FormatReader, Source {
  bytes: Buffer = Buffer.alloc(0);
  readonly #items: Items;
  readonly #scanner = new JsonScanner();
  readonly #plain: PlainObject;
  readonly #row = new Row();
  #state: State = 'document';
  #inObject = false;
  #ignoring = false;
  /** Place of the first byte at hand, and how many came before it. */
  #start: Place = { line: 1, column: 1 };
  #before = 0;

  constructor(items: Items) {
    this.#items = items;
    this.#plain = new PlainObject(items.ports, true);
  }

  read(bytes: Buffer, last: boolean): number {
    this.bytes = bytes;
    this.#scanner.open(bytes, bytes.length);
    let at = 0;
    if (!this.#ignoring && this.#before + bytes.length > largestDocument) {
      this.#items.faults.beginRecord();
      this.#items.faults.report('json_too_large', this, 0);
      this.#stop();
    }
    while (!this.#ignoring) {
      at = this.#scanner.space(at);
      const next = at < bytes.length ? this.#step(at, last) : more;
      if (next === more) break;
      at = next;
    }
    if (this.#ignoring) at = bytes.length;
    this.#start = placeIn(bytes, 0, at, this.#start);
    this.#before += at;
    return at;
  }

  end(declared: number | undefined): void {
    if (this.#ignoring) return;
    const { faults } = this.#items;
    faults.beginRecord();
    const { line, column } = this.#start;
    const end: Source = { bytes: this.bytes, place: () => ({ line, column }) };
    if (this.#state === 'document') faults.report('batch_empty', wholeLine(1), 0);
    else if (this.#state === 'done') reportEnd(this.#items, Math.max(1, this.#items.came), declared);
    else faults.report('json_syntax', end, 0, { detail: 'the document ends too early' });
    faults.endRecord();
  }

  /** The place of a fault of an item. */
  place(): Place {
    return { line: this.#items.came + 1, column: 1 };
  }

  /** Reads what comes next; returns where it ends, or `more`. */
  #step(at: number, last: boolean): number {
    const byte = this.bytes[at];
    const expected = tokens[this.#state];
    if (expected) return this.#token(at, expected, last);
    switch (this.#state) {
      case 'document':
        this.#inObject = byte === 123;
        this.#state = this.#inObject ? 'prices' : 'first';
        return byte === 123 || byte === 91 ? at + 1 : this.#fail('json_shape', at, shape);
      case 'done':
        return this.#fail('json_syntax', at, 'text follows the end of the document');
      case 'separator':
        if (byte !== 44 && byte !== 93) return this.#fail('json_syntax', at, 'a comma or ] is expected here');
        this.#state = byte === 44 ? 'item' : this.#afterArray();
        return at + 1;
      default:
        if (byte !== 93 || this.#state !== 'first') return this.#item(at, last);
        this.#state = this.#afterArray();
        return at + 1;
    }
  }

  #afterArray(): State {
    return this.#inObject ? 'brace' : 'done';
  }

  #token(at: number, { token, state }: { token: Buffer; state: State }, last: boolean): number {
    const found = this.bytes.subarray(at, at + token.length);
    if (found.length < token.length && !last && token.subarray(0, found.length).equals(found)) return more;
    if (!found.equals(token)) return this.#fail('json_shape', at, `${shape}, and nothing else`);
    this.#state = state;
    return at + token.length;
  }

  #item(at: number, last: boolean): number {
    const { bytes } = this;
    const plain = this.#plain;
    let end = plain.read(bytes, at);
    if (end >= 0 && end - at <= longestLine)
      this.#items.take(plain.origin, plain.destination, plain.day, plain.price);
    else {
      end = this.#scanner.value(at);
      const { problem } = this.#scanner;
      const unfinished = end < 0 ? problem.ended : end === bytes.length;
      const reach = end >= 0 ? end : unfinished ? bytes.length : problem.at;
      if (reach - at > longestLine) return this.#tooLong();
      if (unfinished && !last) return more;
      if (end < 0) return this.#fail('json_syntax', problem.at, problem.message);
      this.#check(at, end);
    }
    this.#state = 'separator';
    return end;
  }

  #check(at: number, end: number): void {
    const { bytes } = this;
    const { faults } = this.#items;
    faults.beginRecord();
    if (bytes[at] === 123) {
      const sound = readMembers(this.#scanner, at, this.#row, this, faults);
      this.#items.check(this.#row, this, sound);
    } else {
      faults.report('item_not_object', this, at, { bytes, start: at, end });
      this.#items.came++;
    }
    faults.endRecord();
  }

  #tooLong(): number {
    this.#items.faults.beginRecord();
    this.#items.faults.report('line_too_long', this, 0, { detail: '; nothing after it was read' });
    return this.#stop();
  }

  /** A fault of the document, after which nothing can be understood. */
  #fail(code: 'json_syntax' | 'json_shape', at: number, detail: string): number {
    const place = placeIn(this.bytes, 0, at, this.#start);
    this.#items.faults.beginRecord();
    this.#items.faults.report(code, { bytes: this.bytes, place: () => place }, 0, { detail });
    return this.#stop();
  }

  #stop(): number {
    this.#items.faults.endRecord();
    this.#ignoring = true;
    return this.bytes.length;
  }
}
