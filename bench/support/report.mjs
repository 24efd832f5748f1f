// What a bench says and where: progress for a person, tables, files of results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One line on a terminal, written over and over; nothing in a pipe. */
export function progressLine(stream = process.stderr) {
  return {
    show: (text) => void (stream.isTTY && stream.write(`\r\x1b[K${text}`)),
    clear: () => void (stream.isTTY && stream.write('\r\x1b[K')),
  };
}

/** A table of Markdown, aligned as prettier has it: the first column to the left, figures to the right. */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

export const whole = (value) => Math.round(value).toLocaleString('en-US');
export const fixed = (value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '');

export function writeResult(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
