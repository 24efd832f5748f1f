/** The faults of parts as those of their file: in go rejections of parts, out comes one of the whole, with its lines. */
import { messages } from '../../../ingest/parse/fault-messages.js';
import type { FaultAnswer } from '../../batch-texts.js';
import { FairwayError } from '../../../errors.js';
import type { PartRange } from './cutter.js';

export interface Rejection {
  errors: FaultAnswer[];
  error_counts: Record<string, number>;
  error_total: number;
}

export interface RejectedPart extends Rejection {
  range: PartRange;
}

/** How many lines there are before each of the places in `bytes`, which go up; beyond their end, all. */
export async function linesBefore(
  bytes: AsyncIterable<Buffer>,
  places: readonly number[],
): Promise<number[]> {
  const lines: number[] = [];
  let [start, count, ended] = [0, 0, true];
  for await (const chunk of bytes) {
    let at = 0;
    const countTo = (end: number): void => {
      for (let found = chunk.indexOf(10, at); found >= 0 && found < end; found = chunk.indexOf(10, at)) {
        count++;
        at = found + 1;
      }
    };
    for (const place of places.slice(lines.length)) {
      if (place > start + chunk.length) break;
      countTo(place - start);
      lines.push(count);
    }
    if (lines.length === places.length) return lines;
    countTo(chunk.length);
    start += chunk.length;
    ended = chunk.at(-1) === 10;
  }
  return [...lines, ...places.slice(lines.length).map(() => (ended ? count : count + 1))];
}

/** Of the parts in their order; `lines[n]` end before the n-th of them, `headerLines` of theirs are not of the file. */
export function rejectionOf(
  parts: readonly RejectedPart[],
  lines: readonly number[],
  headerLines: number,
  maximum: number,
): Rejection {
  const counts: Record<string, number> = {};
  for (const { error_counts: ofPart } of parts)
    for (const [code, count] of Object.entries(ofPart)) counts[code] = (counts[code] ?? 0) + count;
  const errors = parts.flatMap(({ range, errors: ofPart }, at) => {
    const added = (lines[at] ?? 0) - (range.number === 1 ? 0 : headerLines);
    return ofPart.map((fault) => ({ ...fault, line: fault.line + added }));
  });
  const total = parts.reduce((sum, { error_total: ofPart }) => sum + ofPart, 0);
  return { errors: errors.slice(0, maximum), error_counts: counts, error_total: total };
}

/** A count that was declared of the whole, at `line`. */
export function countDiffers(declared: number, came: number, line: number): FaultAnswer {
  const value = String(declared);
  const message = messages.count_differs({ field: '', value, detail: String(came) });
  return { line, column: 1, field: null, code: 'count_differs', message, value };
}

/** A rejection as the service would answer it. */
export function problemOf({ errors, error_counts: counts, error_total: total }: Rejection) {
  const { status, title } = new FairwayError('batch_rejected', '');
  return {
    type: 'about:blank',
    title,
    status,
    code: 'batch_rejected',
    errors,
    error_counts: counts,
    error_total: total,
  };
}
