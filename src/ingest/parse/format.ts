/** What the readers of the formats have in common. */
import type { Place } from './fault-log.js';

export interface FormatReader {
  /**
   * Reads whole records from the start of `bytes`; returns how many bytes are done with, the rest is to come again
   * with more behind it. `last`: nothing follows.
   */
  read(bytes: Buffer, last: boolean): number;
  /** All is read; `declared` is the number of items declared outside of the batch. */
  end(declared: number | undefined): void;
}

/** The place of a position, counted on from the place of `start`: lines by LF, columns by character. */
export function placeIn(bytes: Uint8Array, start: number, position: number, from: Place): Place {
  let { line, column } = from;
  for (let at = start; at < position; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 10) {
      line++;
      column = 1;
    } else if (byte < 0x80 || byte > 0xbf) column++;
  }
  return { line, column };
}
