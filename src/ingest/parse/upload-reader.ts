/**
 * Reading and checking a batch: in go chunks of bytes of any size, out come items with numbered lanes, and faults. Pure
 * and synchronous; holds no more than a chunk and the record it ends in.
 */
import { CsvReader } from './csv.js';
import { FaultLog } from './fault-log.js';
import type { FormatReader } from './format.js';
import { Items, type ItemSink } from './items.js';
import { JsonReader } from './json.js';
import { NdjsonReader } from './ndjson.js';
import { PortTable } from './ports.js';
import type { UploadOptions } from './upload.js';

const defaultMaximumFaults = 100_000;
const spareBytes = 1 << 10;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

const formats = { csv: CsvReader, ndjson: NdjsonReader, json: JsonReader };

export class UploadReader {
  readonly faults: FaultLog;
  readonly #items: Items;
  readonly #format: FormatReader;
  readonly #declared: number | undefined;
  #buffer = Buffer.alloc(0);
  #held = 0;
  #atStart = true;
  bytes = 0;

  constructor(options: UploadOptions, sink: ItemSink) {
    this.faults = new FaultLog(options.maximumFaults ?? defaultMaximumFaults);
    this.#items = new Items(new PortTable(options.ports), this.faults, sink);
    this.#format = new formats[options.format](this.#items);
    this.#declared = options.declaredItems;
  }

  /** Items that came, good or bad. */
  get items(): number {
    return this.#items.came;
  }

  get lanes(): number {
    return this.#items.lanes.size;
  }

  /** The lane of a number below `lanes`. */
  lane(number: number): { origin: string; destination: string } {
    const { codes } = this.#items.ports;
    const [origin, destination] = this.#items.lanes.ends(number);
    return { origin: codes[origin] ?? '', destination: codes[destination] ?? '' };
  }

  /** Reads a chunk; its bytes may be used again afterwards. */
  write(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    const held = this.#held + chunk.length;
    if (held > this.#buffer.length) {
      // With room for the start of a record that the next chunk ends.
      const larger = Buffer.allocUnsafeSlow(held + spareBytes);
      this.#buffer.copy(larger, 0, 0, this.#held);
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#held);
    this.#held = held;
    this.#read(false);
  }

  end(): void {
    this.#read(true);
    this.#format.end(this.#declared);
  }

  #read(last: boolean): void {
    let start = 0;
    if (this.#atStart) {
      if (this.#held < byteOrderMark.length && !last) return;
      if (this.#buffer.subarray(0, Math.min(3, this.#held)).equals(byteOrderMark)) start = 3;
      this.#atStart = false;
    }
    const done = start + this.#format.read(this.#buffer.subarray(start, this.#held), last);
    this.#buffer.copyWithin(0, done, this.#held);
    this.#held -= done;
  }
}
