/** Faults as they are found: each is counted, the first ones are kept, in order of place. Pure. */
import { messages, shown } from './fault-messages.js';
import type { Fault, FaultCode } from './faults.js';

export interface Place {
  line: number;
  column: number;
}

/** The bytes a record lies in, and where a position in them is to the supplier. */
export interface Source {
  readonly bytes: Uint8Array;
  place(position: number): Place;
}

/** A whole line that is no longer at hand. */
export const wholeLine = (line: number): Source => ({
  bytes: new Uint8Array(0),
  place: () => ({ line, column: 1 }),
});

export interface Told {
  field?: string | null;
  /** The bytes of the value. */
  bytes?: Uint8Array | undefined;
  start?: number;
  end?: number;
  /** The value where it is no range of bytes. */
  value?: string;
  detail?: string;
}

export class FaultLog {
  readonly counts: Partial<Record<FaultCode, number>> = {};
  total = 0;
  readonly #maximum: number;
  #kept: Fault[] = [];
  #taken = 0;
  #recordStart = 0;
  /** Whether faults of this record are described, which costs far more than counting them. */
  keeping = true;

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.beginRecord();
  }

  /** Opens a record: what is reported until `endRecord` is put in order of place. */
  beginRecord(): void {
    this.#recordStart = this.#kept.length;
    this.keeping = this.#taken + this.#kept.length < this.#maximum;
  }

  report(code: FaultCode, source: Source, position: number, told: Told = {}): void {
    if (this.tally(code)) this.describe(code, source, position, told);
  }

  /** Counts a fault; true where it is to be described as well. */
  tally(code: FaultCode): boolean {
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    this.total++;
    return this.keeping;
  }

  describe(code: FaultCode, source: Source, position: number, told: Told): void {
    const { field = null, bytes, start = 0, end = 0, detail = '' } = told;
    const value = bytes ? shown(bytes, start, end) : (told.value ?? null);
    const { line, column } = source.place(position);
    const message = messages[code]({ field: field ?? '', value: value ?? '', detail });
    this.#kept.push({ line, column, field, code, message, value });
  }

  endRecord(): void {
    const found = this.#kept.length - this.#recordStart;
    if (found === 0) return;
    if (found > 1) {
      const ordered = this.#kept.splice(this.#recordStart).sort(byPlace);
      for (const fault of ordered) this.#kept.push(fault);
    }
    const excess = this.#taken + this.#kept.length - this.#maximum;
    if (excess > 0) this.#kept.length -= excess;
    this.#recordStart = this.#kept.length;
  }

  /** Hands over what was kept since the last call. */
  take(): Fault[] {
    const kept = this.#kept;
    this.#taken += kept.length;
    this.#kept = [];
    this.#recordStart = 0;
    return kept;
  }
}

const byPlace = (a: Fault, b: Fault): number => a.line - b.line || a.column - b.column;
