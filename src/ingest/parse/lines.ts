/** Lines of a byte stream: in go chunks, out come the lines without their line ends, each once and in order. */

/** A line longer than this is refused rather than gathered in memory. */
const longestLine = 1 << 20;

export type LineSink = (bytes: Buffer, start: number, end: number) => void;

/** Calls `onLine` with each line as a range of a buffer that is valid during the call only. CRLF ends count as LF. */
export class LineSplitter {
  readonly #onLine: LineSink;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(onLine: LineSink) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    let start = 0;
    if (this.#restBytes > 0) {
      const end = chunk.indexOf(10);
      if (end < 0) return this.#keep(chunk);
      const whole = Buffer.concat([...this.#rest, chunk.subarray(0, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      this.#emit(whole, 0, whole.length);
      start = end + 1;
    }
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      this.#emit(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Whether the last line so far has no line end. */
  get unfinished(): boolean {
    return this.#restBytes > 0;
  }

  /** The last line, where it has no line end. */
  end(): void {
    if (this.#restBytes > 0) {
      const whole = Buffer.concat(this.#rest);
      this.#emit(whole, 0, whole.length);
    }
    this.#rest = [];
    this.#restBytes = 0;
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    this.#onLine(bytes, start, end > start && bytes[end - 1] === 13 ? end - 1 : end);
  }

  #keep(bytes: Buffer): void {
    this.#restBytes += bytes.length;
    if (this.#restBytes > longestLine) throw new RangeError(`a line is longer than ${longestLine} bytes`);
    this.#rest.push(Buffer.from(bytes));
  }
}
