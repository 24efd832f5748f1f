/** One line on a terminal, written over and over; nothing in a pipe. */
import type { Progress } from '../ingest/sources.js';
import { count, type Context } from './context.js';

const millisecondsBetweenLines = 100;

export interface ProgressLine {
  read: (progress: Progress) => void;
  lanes: (done: number, lanes: number) => void;
  clear: () => void;
}

export function progressLine({ stderr }: Context): ProgressLine {
  let last = 0;
  let shown = false;
  const show = (words: () => string): void => {
    if (!stderr.isTTY || Date.now() - last < millisecondsBetweenLines) return;
    last = Date.now();
    shown = true;
    stderr.write(`\r\x1b[K${words()}`);
  };
  return {
    read: ({ bytes, totalBytes }) =>
      show(() => {
        const share = totalBytes
          ? ` of ${count(Math.ceil(totalBytes / 1e6))} MB (${Math.floor((bytes / totalBytes) * 100)} %)`
          : ' MB';
        return `reading ${count(Math.floor(bytes / 1e6))}${share}`;
      }),
    lanes: (done, lanes) =>
      show(
        () =>
          `comparing lane ${count(done)} of ${count(lanes)} (${Math.floor((done / Math.max(1, lanes)) * 100)} %)`,
      ),
    clear: () => void (shown && stderr.write('\r\x1b[K')),
  };
}
