/**
 * A batch cut into parts: in go the bytes of a file, out come, part after part, the bytes of each and where it lies.
 * Put together the parts are the file, but for a trailer, which counts the whole. The same file is cut at the same places
 * however its bytes come.
 */
import { lineBefore, Records, type LineFormat } from './records.js';

export interface PartRange {
  /** From 1. */
  number: number;
  /** Bytes of the unpacked file. */
  from: number;
  to: number;
  /** What the trailer after the last part declares. */
  declared?: number;
}

/** Where the file cannot be cut: it is for the service to say what is wrong with it. */
export class NotInParts extends Error {}

export interface CutSizes {
  /** After so many bytes a part ends with the next record. */
  part: number;
  /** Held back, so that the end of the file is known before what stands there goes out: a trailer and a blank line. */
  tail: number;
  /** Must follow a cut, so that the last part has more in it than a tail. */
  lookahead: number;
  /** No record is so long; a line may be, which is a fault. */
  slack: number;
}

export const usualSizes: CutSizes = { part: 32 << 20, tail: 4 << 10, lookahead: 64 << 10, slack: 4 << 20 };

const longestTrailer = 200;
const wholeNumber = /^(?:0|[1-9][0-9]{0,14})$/;

export class Cutter {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #records: Records;
  readonly #format: LineFormat;
  readonly #sizes: CutSizes;
  /** What was read and not given out; begins with a record, or with the file. */
  #held: Buffer = Buffer.alloc(0);
  #number = 0;
  #from = 0;
  #over = false;

  constructor(bytes: AsyncIterable<Buffer>, format: LineFormat, sizes: CutSizes) {
    this.#chunks = bytes[Symbol.asyncIterator]();
    this.#records = new Records(format);
    this.#format = format;
    this.#sizes = sizes;
  }

  /** Gives `take` the bytes of the next part in order; undefined after the last. Throws `NotInParts`, or what the source throws. */
  async next(take: (bytes: Buffer) => void | Promise<void>): Promise<PartRange | undefined> {
    if (this.#over) return undefined;
    const { part, tail, lookahead, slack } = this.#sizes;
    const from = this.#from;
    const number = ++this.#number;
    const give = async (length: number): Promise<void> => {
      if (length === 0) return;
      await take(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
      this.#from += length;
    };
    do {
      const least = from + part - this.#from;
      if (this.#held.length <= least) await give(this.#recordsBefore(this.#held.length - tail));
      else if (this.#held.length >= least + lookahead) {
        const end = this.#records.cut(this.#held, least);
        if (end > 0 && this.#held.length - end >= lookahead) {
          await give(end);
          return { number, from, to: this.#from };
        }
      }
      if (this.#held.length > slack) throw new NotInParts(`it cannot be cut near byte ${this.#from}`);
    } while (await this.#more());
    this.#over = true;
    const { end, declared } = this.#tail();
    await give(end);
    return { number, from, to: this.#from, ...(declared === undefined ? {} : { declared }) };
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
    return true;
  }

  #recordsBefore(length: number): number {
    return length > 0 ? this.#records.lastEnd(this.#held.subarray(0, length)) : 0;
  }

  /** How much of what is held belongs to the last part. A tail that is a fault by itself is not cut off. */
  #tail(): { end: number; declared?: number } {
    const { length } = this.#held;
    const [last, before, third] = this.#lastLines(3);
    if (last === undefined || !this.#records.isTail(last.text)) return { end: length };
    const trailer = last.text === '' ? before : last;
    const above = last.text === '' ? third : before;
    if (trailer === undefined || !this.#records.isTail(trailer.text)) return { end: length };
    const declared = declaredBy(trailer.text, this.#format);
    if (declared === undefined || above === undefined || this.#records.isTail(above.text))
      throw new NotInParts('its end is odd');
    return { end: trailer.from, declared };
  }

  #lastLines(count: number): { from: number; text: string }[] {
    const lines: { from: number; text: string }[] = [];
    for (let end = this.#held.length; end > 0 && lines.length < count;) {
      const from = end < 2 ? 0 : this.#held.lastIndexOf(10, end - 2) + 1;
      lines.push({ from, text: lineBefore(this.#held, end) });
      end = from;
    }
    return lines;
  }
}

/** As the service takes it; undefined where it will find fault with it. */
function declaredBy(line: string, format: LineFormat): number | undefined {
  const trailer = format === 'csv' ? /^#items=(.*)$/ : /^\{[ \t]*"items"[ \t]*:[ \t]*([^,]*?)[ \t]*\}[ \t]*$/;
  const count = line.length <= longestTrailer ? trailer.exec(line)?.[1] : undefined;
  return count !== undefined && wholeNumber.test(count) ? Number(count) : undefined;
}
