/**
 * Known ports and the lanes met so far, found without making strings: in go the bytes of codes, out come numbers.
 * Both are open-addressing hash tables with linear probing, half full at the most.
 */
import { foldedOf, nearest, type Folded } from '../../near.js';
import type { KnownPort } from './upload.js';

/** Comparisons spent on "did you mean" in one batch; after that, messages come without. */
const comparisonBudget = 250_000;

/** A longer text is no misspelling, and would cost to fold. */
const longestGuess = 100;

export class PortTable {
  readonly codes: readonly string[];
  readonly #bytes: Buffer;
  readonly #starts: Int32Array;
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #ports: readonly KnownPort[];
  #folded: [string, Folded][] | undefined;
  readonly #guesses = new Map<string, string>();
  #guessesLeft: number;

  constructor(ports: readonly KnownPort[]) {
    this.#ports = ports;
    this.codes = ports.map((port) => port.code);
    const encoded = this.codes.map((code) => Buffer.from(code));
    this.#bytes = Buffer.concat(encoded);
    this.#starts = new Int32Array(ports.length + 1);
    encoded.forEach((code, index) => {
      this.#starts[index + 1] = (this.#starts[index] ?? 0) + code.length;
    });
    const size = powerOfTwo(ports.length * 4 + 4);
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(-1);
    for (let port = 0; port < ports.length; port++) this.#insert(port);
    this.#guessesLeft = Math.max(20, Math.floor(comparisonBudget / (ports.length * 2 + 1)));
  }

  /** The number of the port whose code these bytes are, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    let slot = hashOf(bytes, start, end) & this.#mask;
    for (;;) {
      const port = this.#slots[slot] ?? -1;
      if (port < 0) return -1;
      const from = this.#starts[port] ?? 0;
      if ((this.#starts[port + 1] ?? 0) - from === length) {
        let at = 0;
        while (at < length && this.#bytes[from + at] === bytes[start + at]) at++;
        if (at === length) return port;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /** ` (did you mean CNXMN?)`, or nothing. Answers are remembered, and their number is bounded. */
  guess(text: string): string {
    if (text.length > longestGuess) return '';
    const known = this.#guesses.get(text);
    if (known !== undefined) return known;
    if (this.#guessesLeft <= 0) return '';
    this.#guessesLeft--;
    this.#folded ??= this.#ports.map(({ code, name }) => [code, foldedOf(code, name)]);
    const found = nearest(text, this.#folded).slice(0, 3);
    const guess = found.length > 0 ? ` (did you mean ${found.join(' or ')}?)` : '';
    this.#guesses.set(text, guess);
    return guess;
  }

  #insert(port: number): void {
    let slot = hashOf(this.#bytes, this.#starts[port] ?? 0, this.#starts[port + 1] ?? 0) & this.#mask;
    while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = port;
  }
}

/** Numbers lanes, pairs of port numbers, from 0 in the order they are first met. */
export class LaneTable {
  size = 0;
  #slots = new Int32Array(1 << 12).fill(-1);
  #origins = new Int32Array(1 << 11);
  #destinations = new Int32Array(1 << 11);

  number(origin: number, destination: number): number {
    const mask = this.#slots.length - 1;
    let slot = mix(origin, destination) & mask;
    for (;;) {
      const lane = this.#slots[slot] ?? -1;
      if (lane < 0) return this.#add(slot, origin, destination);
      if (this.#origins[lane] === origin && this.#destinations[lane] === destination) return lane;
      slot = (slot + 1) & mask;
    }
  }

  /** The pair behind a lane's number. */
  ends(lane: number): [origin: number, destination: number] {
    return [this.#origins[lane] ?? 0, this.#destinations[lane] ?? 0];
  }

  #add(slot: number, origin: number, destination: number): number {
    const lane = this.size++;
    this.#slots[slot] = lane;
    this.#origins[lane] = origin;
    this.#destinations[lane] = destination;
    if (this.size === this.#origins.length) this.#grow();
    return lane;
  }

  #grow(): void {
    this.#origins = doubled(this.#origins);
    this.#destinations = doubled(this.#destinations);
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let lane = 0; lane < this.size; lane++) {
      let slot = mix(...this.ends(lane)) & mask;
      while (slots[slot] !== -1) slot = (slot + 1) & mask;
      slots[slot] = lane;
    }
    this.#slots = slots;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}

function mix(origin: number, destination: number): number {
  const mixed = Math.imul(origin, 0x9e3779b1) ^ Math.imul(destination + 1, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(atLeast));
