/**
 * The syntax of JSON over bytes (RFC 8259): in goes a position, out comes where the value there ends. No value is
 * made, and no stack grows with nesting. Numbers are taken loosely (`012`, `+5`): whoever wants one looks at it closer.
 */
const quote = 34;
const comma = 44;
const colon = 58;
const openArray = 91;
const closeArray = 93;
const openObject = 123;
const closeObject = 125;
const backslash = 92;

const literals = ['true', 'false', 'null'].map((word) => Buffer.from(word));
/** Letters that may follow a backslash: " \ / b f n r t u */
const escapes = new Set([34, 92, 47, 98, 102, 110, 114, 116, 117]);

export class JsonScanner {
  bytes: Uint8Array = new Uint8Array(0);
  end = 0;
  /** After a failure: where and what. `ended` where the bytes ended before the value did. */
  problem = { at: 0, message: '', ended: false };

  /** Looks at `bytes` up to `end`. */
  open(bytes: Uint8Array, end: number): void {
    this.bytes = bytes;
    this.end = end;
  }

  /** Past spaces and line ends. */
  space(from: number): number {
    let at = from;
    for (; at < this.end; at++) {
      const byte = this.bytes[at] ?? 0;
      if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) break;
    }
    return at;
  }

  /** Where the value ends that begins at `from`, or -1. */
  value(from: number): number {
    const closings: number[] = [];
    let at = from;
    for (;;) {
      at = this.#begin(this.space(at), closings);
      if (at < 0) return -1;
      // The first value of the container that was opened comes next.
      if (this.#opened) continue;
      at = this.#close(at, closings);
      if (at < 0 || closings.length === 0) return at;
    }
  }

  #opened = false;

  /** Reads a scalar or an empty container, or opens one. */
  #begin(at: number, closings: number[]): number {
    this.#opened = false;
    const byte = at < this.end ? this.bytes[at] : undefined;
    if (byte !== openObject && byte !== openArray) return this.#scalar(at);
    const closing = byte === openObject ? closeObject : closeArray;
    const inside = this.space(at + 1);
    if (inside < this.end && this.bytes[inside] === closing) return inside + 1;
    closings.push(closing);
    this.#opened = true;
    return closing === closeObject ? this.#key(inside) : inside;
  }

  /** After a value: closes what ends here; returns where the next value begins, or the end of all. */
  #close(from: number, closings: number[]): number {
    let at = from;
    for (;;) {
      const closing = closings.at(-1);
      if (closing === undefined) return at;
      at = this.space(at);
      if (at >= this.end) return this.#fail(at, 'the JSON ends too early', true);
      if (this.bytes[at] === closing) {
        closings.pop();
        at++;
      } else if (this.bytes[at] === comma) {
        return closing === closeObject ? this.#key(this.space(at + 1)) : at + 1;
      } else return this.#fail(at, `a comma or ${closing === closeObject ? '}' : ']'} is expected here`);
    }
  }

  /** A key and its colon. */
  #key(at: number): number {
    if (at >= this.end) return this.#fail(at, 'the JSON ends too early', true);
    if (this.bytes[at] !== quote) return this.#fail(at, 'a name in double quotes is expected here');
    const after = this.string(at);
    if (after < 0) return after;
    const next = this.space(after);
    if (next >= this.end) return this.#fail(next, 'the JSON ends too early', true);
    return this.bytes[next] === colon ? next + 1 : this.#fail(next, 'a colon is expected here');
  }

  /** Where the string ends that opens at `from`, or -1. */
  string(from: number): number {
    for (let at = from + 1; at < this.end; at++) {
      const byte = this.bytes[at] ?? 0;
      if (byte === quote) return at + 1;
      if (byte < 32) return this.#fail(at, 'a control character in a string must be escaped');
      if (byte !== backslash) continue;
      const letter = this.bytes[++at] ?? 0;
      if (at >= this.end) break;
      if (!escapes.has(letter)) return this.#fail(at - 1, 'no such escape');
      if (letter !== 117) continue;
      for (const last = at + 4; at < last;) {
        if (++at >= this.end) break;
        if (!isHexadecimal(this.bytes[at] ?? 0))
          return this.#fail(at, 'four hexadecimal digits are expected after \\u');
      }
    }
    return this.#fail(from, 'the string that opens here is not closed', true);
  }

  #scalar(at: number): number {
    if (at >= this.end) return this.#fail(at, 'the JSON ends too early', true);
    if (this.bytes[at] === quote) return this.string(at);
    let end = at;
    while (end < this.end && inNumber(this.bytes[end] ?? 0, end > at)) end++;
    if (end > at) return end;
    for (const word of literals) {
      const here = Math.min(this.end - at, word.length);
      if (word.compare(this.bytes, at, at + here, 0, here) !== 0) continue;
      return here === word.length ? at + here : this.#fail(this.end, 'the JSON ends too early', true);
    }
    return this.#fail(at, 'a value is expected here');
  }

  #fail(at: number, message: string, ended = false): number {
    this.problem = { at, message, ended };
    return -1;
  }
}

/** Digits, signs and the dot; the e of an exponent not at the start. */
const inNumber = (byte: number, inside: boolean): boolean =>
  (byte >= 48 && byte <= 57) ||
  byte === 45 ||
  byte === 43 ||
  byte === 46 ||
  (inside && (byte === 101 || byte === 69));

const isHexadecimal = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102);
