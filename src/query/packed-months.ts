/**
 * Months of many lanes as `rolledLanes` packs them: in goes what the statement says, out come the totals of one question
 * after the other. A row object and two arrays a question cost more than adding up what is in them, most of it in the
 * garbage collector (docs/decisions/0008-many-answers.md).
 */
import { addRollup, firstDayOf } from '../rollup.js';
import type { DayTotals } from './totals.js';

const headerBytes = 8;

export class PackedMonths {
  readonly #bytes: Buffer;
  /** Of each question, behind which byte its last month lies, from 1; 0 for none. */
  readonly #last: Int32Array;

  constructor(encoded: string | null, questions: number) {
    const bytes = Buffer.from(encoded ?? '', 'base64');
    this.#bytes = bytes;
    this.#last = new Int32Array(questions);
    for (let at = 0; at < bytes.length; at += headerBytes + bytes.readUInt16BE(at + 6)) {
      const question = bytes.readUInt32BE(at) - 1;
      // A month is followed to the one before it: whose it is, is known by then.
      bytes.writeUInt32BE(this.#last[question] ?? 0, at);
      this.#last[question] = at + 1;
    }
  }

  /** Adds up what the rollups have of a question, by its place in the list from 0. */
  addTo(totals: DayTotals, question: number): void {
    const bytes = this.#bytes;
    for (let next = this.#last[question] ?? 0; next > 0; next = bytes.readUInt32BE(next - 1)) {
      const start = next - 1 + headerBytes;
      const shift = firstDayOf(bytes.readUInt16BE(start - 4)) - totals.from;
      addRollup(totals, shift, bytes, start, start + bytes.readUInt16BE(start - 2));
    }
  }
}
