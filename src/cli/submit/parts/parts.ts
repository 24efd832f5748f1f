/**
 * The parts of a file as they are sent: in goes the file, out comes a part after the other with its digest. Of a plain file
 * a part is a range that is read again for each try; of a packed one it is kept in memory, packed again.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { fieldNames } from '../../../ingest/parse/fields.js';
import { unpackHead } from '../format.js';
import type { Source } from '../source.js';
import { Cutter, usualSizes, type PartRange } from './cutter.js';
import type { LineFormat } from './records.js';

const megabyte = 1 << 20;
/** Above it a plain file goes in parts. */
const largePlain = 64 * megabyte;
/** Above it a packed one does: prices become a quarter to a sixth. The size is known before the first byte is sent. */
const largePacked = 16 * megabyte;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

export interface Part extends PartRange {
  /** SHA-256 of the body as it is sent, in base64. */
  digest: string;
  /** Of that body. */
  size: number;
  /** Bytes of the file that it stands for. */
  weight: number;
  packed: boolean;
  body(onBytes: (chunk: Buffer) => void): Readable;
  /** Whether the file still has what was hashed. */
  unchanged(): Promise<boolean>;
}

export interface Cuttable {
  format: LineFormat;
  /** What every part but the first begins with. */
  header: Buffer;
}

/** How a file would go in parts; undefined where it goes as a whole, or has a header with which something is wrong. */
export function cuttable({ format, packing, head }: Source): Cuttable | undefined {
  if (format === 'json' || packing === 'zstd') return undefined;
  if (format === 'ndjson') return { format, header: Buffer.alloc(0) };
  const header = soundHeader(unpackHead(head, packing));
  return header && { format, header };
}

export const isLarge = ({ size, packing }: Source): boolean =>
  size > (packing === undefined ? largePlain : largePacked);

/** The header line, where it names the four fields and nothing else. */
function soundHeader(head: Buffer): Buffer | undefined {
  const start = head.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  const end = head.indexOf(10);
  const line = head.subarray(start, end + 1);
  const names = line
    .toString('latin1')
    .replace(/\r?\n$/, '')
    .split(',');
  const plain = names.map((name) => name.replace(/^"(.*)"$/, '$1')).sort();
  return plain.join() === [...fieldNames].sort().join() ? line : undefined;
}

export class Parts {
  readonly #source: Source;
  readonly #header: Buffer;
  readonly #cutter: Cutter;
  #read = 0;
  #before = 0;
  #made = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: Source, { format, header }: Cuttable, sizes = usualSizes) {
    this.#source = source;
    this.#header = header;
    this.#cutter = new Cutter(
      source.unpacked((bytes) => (this.#read += bytes)),
      format,
      sizes,
    );
  }

  /** One at a time, whoever asks. */
  next(): Promise<Part | undefined> {
    const next = this.#last.then(() => this.#make());
    this.#last = next.catch(() => undefined);
    return next;
  }

  close(): Promise<void> {
    return this.#cutter.close();
  }

  async #make(): Promise<Part | undefined> {
    const made = await (this.#source.packing === undefined ? this.#range() : this.#packed());
    if (!made) return undefined;
    const weight = this.#read - this.#before;
    this.#before = this.#read;
    this.#made++;
    return { ...made, weight };
  }

  async #range(): Promise<Omit<Part, 'weight'> | undefined> {
    const hash = createHash('sha256');
    let prefix: Buffer | undefined;
    const range = await this.#cutter.next((bytes) => {
      if (prefix === undefined) hash.update((prefix = this.#prefix(bytes)));
      hash.update(bytes);
    });
    if (!range) return undefined;
    const beginning = prefix ?? Buffer.alloc(0);
    const digest = hash.digest('base64');
    const body: Part['body'] = (onBytes) =>
      Readable.from(joined(beginning, this.#source.read(onBytes, range)), { objectMode: false });
    const unchanged = async (): Promise<boolean> => {
      const again = createHash('sha256');
      for await (const chunk of body(() => undefined)) again.update(chunk as Buffer);
      return again.digest('base64') === digest;
    };
    const size = beginning.length + range.to - range.from;
    return { ...range, digest, size, packed: false, body, unchanged };
  }

  async #packed(): Promise<Omit<Part, 'weight'> | undefined> {
    const zip = createGzip({ level: 1 });
    const collected = zip.toArray() as Promise<Buffer[]>;
    // Where the file ends in an error, nobody waits for it.
    collected.catch(() => undefined);
    let begun = false;
    const range = await this.#cutter.next(async (bytes) => {
      if (!begun) zip.write(this.#prefix(bytes));
      begun = true;
      if (!zip.write(bytes)) await once(zip, 'drain');
    });
    if (!range) return undefined;
    zip.end();
    const bytes = Buffer.concat(await collected);
    const digest = createHash('sha256').update(bytes).digest('base64');
    const body: Part['body'] = (onBytes) => Readable.from(pieces(bytes, onBytes), { objectMode: false });
    return { ...range, digest, size: bytes.length, packed: true, body, unchanged: async () => true };
  }

  /** The first part is the beginning of the file. A mark that begins another must stay one that is misplaced. */
  #prefix(bytes: Buffer): Buffer {
    if (this.#made === 0) return Buffer.alloc(0);
    if (this.#header.length > 0) return this.#header;
    return bytes.subarray(0, 3).equals(byteOrderMark) ? byteOrderMark : this.#header;
  }
}

async function* joined(beginning: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (beginning.length > 0) yield beginning;
  yield* rest;
}

const pieceBytes = 1 << 17;

function* pieces(bytes: Buffer, onBytes: (chunk: Buffer) => void): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    onBytes(piece);
    yield piece;
  }
}
