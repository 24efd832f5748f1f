/**
 * A hash of rows whatever their order: the SHA-256 of each row, added up word by word. Adding, not XOR, so that a row
 * that comes twice counts twice. It recognises content; it is no defence against somebody who makes collisions.
 */
import { hash } from 'node:crypto';

export class ContentHash {
  readonly #sums = new Uint32Array(8);

  /** Adds a row by its fields; null is unlike any text. */
  add(table: string, fields: readonly (string | null)[]): void {
    this.addBytes(
      table,
      Buffer.from(fields.map((field) => (field === null ? '\\N' : escape(field))).join('\t')),
    );
  }

  /** Adds a row by the bytes of COPY's text format, its columns in the order of `tableColumns`. */
  addBytes(table: string, row: Buffer): void {
    const digest = hash('sha256', Buffer.concat([Buffer.from(`${table}\t`), row]), 'buffer');
    for (let word = 0; word < 8; word++)
      this.#sums[word] = (this.#sums[word] ?? 0) + digest.readUInt32BE(word * 4);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(32);
    this.#sums.forEach((sum, word) => bytes.writeUInt32BE(sum, word * 4));
    return bytes;
  }
}

const escape = (field: string): string => field.replace(/[\\\t\n\r]/g, (letter) => `\\${letter}`);
