/**
 * Months of many lanes as `RolledMonthsRow` packs them: in goes what the statement says, out come the totals of one
 * question after the other. A row object and two arrays a question cost more than adding up what is in them, most of it
 * in the garbage collector (docs/decisions/0008-many-answers.md).
 */
import { addRollup, firstDayOf } from '../../rollup.js';
import type { DayTotals } from '../totals.js';

const headerBytes = 8;

export class PackedMonths {
  readonly #bytes: Buffer;
  /** Of each question, behind which byte its last month lies, from 1; 0 for none. */
  readonly #last: Int32Array;

  /** `placeOf`: the place, from 0, of the question that a lane's id and the question as packed stand for. */
  constructor(
    encoded: string | null,
    questions: number,
    placeOf: (lane: number, question: number) => number,
  ) {
    const bytes = Buffer.from(encoded ?? '', 'base64');
    this.#bytes = bytes;
    this.#last = new Int32Array(questions);
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.readUInt32BE(at + 4);
      const place = placeOf(bytes.readUInt32BE(at), rest >>> 21);
      // A month leads to the one before it: whose it is, is known by then.
      bytes.writeUInt32BE(this.#last[place] ?? 0, at);
      this.#last[place] = at + 1;
      at += headerBytes + (rest & 0x3ff);
    }
  }

  /** Adds up what the rollups have of a question, by its place in the list from 0. */
  addTo(totals: DayTotals, place: number): void {
    const bytes = this.#bytes;
    for (let next = this.#last[place] ?? 0; next > 0; next = bytes.readUInt32BE(next - 1)) {
      const rest = bytes.readUInt32BE(next + 3);
      const start = next - 1 + headerBytes;
      const shift = firstDayOf((rest >>> 10) & 0x7ff) - totals.from;
      addRollup(totals, shift, bytes, start, start + (rest & 0x3ff));
    }
  }
}
