/**
 * The end of a batch of lines: a blank last line is no fault, one between others is; a trailer declares how many items
 * there are. In go lines that may turn out to be the last, out come their faults. Pure.
 */
import { wholeLine } from './fault-log.js';
import type { Items } from './items.js';

export const longestLine = 1 << 16;

/** A count as it may be declared. */
const wholeNumber = /^(?:0|[1-9][0-9]{0,14})$/;

export class Tail {
  readonly #items: Items;
  #pending: { blank: boolean; line: number }[] = [];
  #declared: { count: string; line: number } | undefined;

  constructor(items: Items) {
    this.#items = items;
  }

  /** Whether a line before this one was taken for the last. */
  get open(): boolean {
    return this.#pending.length > 0;
  }

  /** Any other line: whatever was taken for the last was not. */
  record(): void {
    if (!this.open) return;
    this.#declared = undefined;
    for (const { blank, line } of this.#pending.splice(0)) {
      this.#items.faults.beginRecord();
      this.#items.faults.report(blank ? 'line_blank' : 'trailer_not_last', wholeLine(line), 0);
      this.#items.faults.endRecord();
    }
  }

  blank(line: number): void {
    if (this.#pending.at(-1)?.blank) this.record();
    this.#pending.push({ blank: true, line });
  }

  trailer(count: string, line: number): void {
    this.record();
    if (wholeNumber.test(count)) this.#declared = { count, line };
    else this.#items.faults.report('trailer_invalid', wholeLine(line), 0, { value: count.slice(0, 80) });
    this.#pending.push({ blank: false, line });
  }

  /** The batch is over at `line`; `declared` was declared elsewhere. */
  end(line: number, declared: number | undefined): void {
    const { faults, came } = this.#items;
    faults.beginRecord();
    const count = this.#declared;
    if (count && Number(count.count) !== came)
      faults.report('count_differs', wholeLine(count.line), 0, { value: count.count, detail: String(came) });
    reportEnd(this.#items, line, declared);
    faults.endRecord();
  }
}

/** Faults of a batch as a whole. */
export function reportEnd(items: Items, line: number, declared: number | undefined): void {
  const { faults, came } = items;
  if (declared !== undefined && declared !== came)
    faults.report('count_differs', wholeLine(line), 0, { value: String(declared), detail: String(came) });
  if (came === 0 && faults.total === 0) faults.report('batch_empty', wholeLine(line), 0);
}
