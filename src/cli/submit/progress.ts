/** One line on a terminal that tells how far an upload is, written over and over; nothing in a pipe. */
import { count, type Context } from '../context.js';
import type { Source } from './source.js';

export interface Progress {
  /** A new try begins at the first byte; what it sends is told to the function that comes back. */
  begin(): (chunk: Buffer) => void;
  /** Bytes of the last try. */
  sent(): number;
  say(words: string): void;
  clear(): void;
}

const millisecondsBetweenLines = 200;
const lineFeed = 10;

export function uploadProgress({ stderr }: Context, source: Source): Progress {
  const countable = source.packing === undefined && source.format !== 'json';
  const { say, clear } = lineOn(stderr);
  let [tries, sent] = [0, 0];
  return {
    begin: () => {
      const thisTry = ++tries;
      const begun = performance.now();
      let [lines, last] = [0, 0];
      sent = 0;
      return (chunk) => {
        if (thisTry !== tries) return;
        sent += chunk.length;
        if (!stderr.isTTY) return;
        if (countable) lines += linesIn(chunk);
        const now = performance.now();
        if (sent < source.size && now - last < millisecondsBetweenLines) return;
        last = now;
        const all = { sent, size: source.size, milliseconds: now - begun, ...(countable ? { lines } : {}) };
        say(sent < source.size ? describeProgress(all) : 'all sent; waiting for the verdict');
      };
    },
    sent: () => sent,
    say,
    clear: () => {
      tries++;
      clear();
    },
  };
}

export interface Line {
  shows: boolean;
  say: (words: string) => void;
  clear: () => void;
}

/** The line itself. */
export function lineOn(stderr: Context['stderr']): Line {
  let shown = false;
  return {
    shows: stderr.isTTY,
    say: (words) => {
      if (!stderr.isTTY) return;
      shown = true;
      // A line that wraps could not be written over.
      stderr.write(`\r\x1b[K${words.slice(0, (stderr.columns || 80) - 1)}`);
    },
    clear: () => {
      if (shown) stderr.write('\r\x1b[K');
      shown = false;
    },
  };
}

export interface Sent {
  sent: number;
  size: number;
  milliseconds: number;
  /** Lines, where there is an item in each. */
  lines?: number;
  /** What of `sent` an earlier run had sent; none where it is told by lines. */
  before?: number;
}

/** Pure. */
export function describeProgress({ sent, size, milliseconds, lines, before }: Sent): string {
  const seconds = Math.max(milliseconds, 1) / 1_000;
  const parts = [
    `sent ${count(Math.floor(sent / 1e6))} of ${count(Math.ceil(size / 1e6))} MB (${Math.floor((sent / size) * 100)} %)`,
  ];
  if (seconds < 1) return parts.join(', ');
  const now = sent - (before ?? 0);
  if (lines !== undefined) parts.push(`${count(Math.round(lines / seconds))} items/s`);
  if (before !== undefined) parts.push(`${count(Math.round(now / seconds / 1e6))} MB/s`);
  if (now > 0) parts.push(`${duration(((size - sent) / now) * seconds)} left`);
  return parts.join(', ');
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function linesIn(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) lines++;
  return lines;
}
