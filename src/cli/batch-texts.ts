/** Batches and their verdicts as text: in go answers of the service, out come lines for a person. Pure. */
import type { Static } from 'typebox';
import type { batch, check, fault } from '../http/batch-shapes.js';
import { count } from './context.js';

export type BatchAnswer = Omit<Static<typeof batch>, 'state'> & {
  state: 'loading' | 'published' | 'rejected' | 'withdrawn';
};
export type CheckAnswer = Static<typeof check>;
export type FaultAnswer = Static<typeof fault>;
export type FaultCounts = Readonly<Record<string, number>>;

/** Faults of the document as a whole have a line; all others of a JSON array have the number of the item there. */
const documentFaults = new Set([
  'json_syntax',
  'json_shape',
  'json_too_large',
  'batch_empty',
  'count_differs',
]);

/** As compilers do: `prices.csv:1042:17: unknown port 'CNXXX' (did you mean CNXMN?)`. */
export function faultLine(name: string, format: string | null, fault: FaultAnswer): string {
  const { line, column, code, message } = fault;
  const place =
    format === 'json' && !documentFaults.has(code) ? `${name}: item ${line}` : `${name}:${line}:${column}`;
  return `${place}: ${printable(message)}\n`;
}

/** Whatever would move the cursor of a terminal is shown as an escape. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
export const printable = (text: string): string =>
  text.replace(controls, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A line per code, the most frequent first. */
export function faultSummary(counts: FaultCounts): string {
  const rows = Object.entries(counts).sort(([a, many], [b, more]) => more - many || a.localeCompare(b));
  const width = Math.max(0, ...rows.map(([, number]) => count(number).length));
  return [
    'faults by code:',
    ...rows.map(([code, number]) => `  ${count(number).padStart(width)}  ${code}`),
    '',
  ].join('\n');
}

export const publishedText = (
  { id, items, lanes, revision, replaces }: BatchAnswer,
  repeated: boolean,
): string =>
  `batch ${id} ${repeated ? 'was published already' : 'published'}: ${plural(items, 'item')} on ${plural(lanes, 'lane')}, revision ${revision ?? '–'}${replaces === null ? '' : `, in place of batch ${replaces}`}\n`;

export function checkText({ items, lanes, days, lane_days, lanes_compared, moves }: CheckAnswer): string {
  const touched = `no faults; it would touch ${plural(lanes, 'lane')} on ${plural(days, 'day')}${lane_days === null ? '' : ` (${plural(lane_days, 'rate')})`} with ${plural(items, 'item')}; nothing is published\n`;
  if (moves.length === 0) return `${touched}no average that is known now would move\n`;
  const compared =
    lanes_compared < lanes ? ` (of the ${count(lanes_compared)} lanes with the most items)` : '';
  const rows = moves.map(({ orig_code, dest_code, day, before, after }) => [
    `${orig_code} ${dest_code}`,
    day,
    before.toFixed(2),
    after.toFixed(2),
    `${after > before ? '+' : ''}${(((after - before) / before) * 100).toFixed(1)} %`,
  ]);
  return `${touched}largest moves of the average${compared}:\n${table(['lane', 'day', 'before', 'after', 'move'], rows, [2, 3, 4])}`;
}

export function batchesText(batches: readonly BatchAnswer[]): string {
  if (batches.length === 0) return 'no batches\n';
  const rows = batches.map(({ id, state, items, lanes, revision, errors, received_at, key, source }) => [
    id,
    state,
    count(items),
    count(lanes),
    revision === null ? '' : String(revision),
    errors === 0 ? '' : count(errors),
    `${received_at.slice(0, 16).replace('T', ' ')}Z`,
    printable(key ?? (source === 'upload' ? '' : `(${source})`)),
  ]);
  return table(
    ['id', 'state', 'items', 'lanes', 'revision', 'faults', 'received', 'key'],
    rows,
    [0, 2, 3, 4, 5],
  );
}

export function batchText(batch: BatchAnswer): string {
  const { id, state, items, lanes, bytes, format, source, key, revision, received_at, published_at } = batch;
  const { withdrawn_revision, replaces, replaced_by, errors, error_counts } = batch;
  const lines: [string, string | null][] = [
    ['batch', id],
    ['state', state],
    ['items', count(items)],
    ['lanes', count(lanes)],
    ['key', key === null ? null : printable(key)],
    ['source', format === null ? source : `${source}, ${format}`],
    ['bytes', bytes === null ? null : count(bytes)],
    ['received', received_at],
    ['published', published_at === null ? null : `${published_at}, revision ${revision}`],
    ['withdrawn', withdrawn_revision === null ? null : `revision ${withdrawn_revision}`],
    ['replaces', replaces === null ? null : `batch ${replaces}`],
    ['replaced by', replaced_by === null ? null : `batch ${replaced_by}`],
    ['faults', errors === 0 ? null : `${count(errors)}; 'fairway errors ${id}' shows them`],
    ...Object.entries(error_counts).map(([code, number]): [string, string] => [`  ${code}`, count(number)]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

export const plural = (number: number, what: string): string =>
  `${count(number)} ${what}${number === 1 ? '' : 's'}`;

/** Columns as wide as they must be; those of `right` stand to the right. */
function table(head: readonly string[], rows: readonly string[][], right: readonly number[]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const cell = (text: string, at: number): string =>
    right.includes(at) ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
  return [head, ...rows].map((row) => `${row.map(cell).join('  ').trimEnd()}\n`).join('');
}
