/**
 * Answers as bytes: in go texts and totals per day, out come the bytes of JSON that `renderRates` has as text. Written
 * straight into a Buffer: a text per day, joined and encoded, costs twice as much and leaves it all to the garbage
 * collector (docs/decisions/0008-many-answers.md).
 */
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { fewestItems } from './fewest-items.js';
import { writeQuotient, writeWhole } from './quotient.js';
import type { DayStatistics } from './statistics/prices.js';
import type { DayTotals } from './totals.js';

const firstBytes = 64 * 1024;
/** A day without statistics at its longest, and what each statistic adds beside its name. */
const dayBytes = 128;
const statisticBytes = 32;

/** Four ASCII characters as the number that `DataView.setInt32` writes. */
const word = (text: string): number => Buffer.from(text, 'latin1').readInt32BE();

// Between its numbers a day is words of four characters, and so are the year, the month and the day.
const [count1, count2] = [word('{"co'), word('unt"')];
const [day1, day2] = [word(',"da'), word('y":"')];
const [price1, price2] = [word('"pri'), word('ce":')];
const nothing = word('null');
const [colon, comma, quote, backslash, endOfDay] = [58, 44, 34, 92, 125];

/** Of each day that items can have: `2021`, `-01-`, `31",`; 0 where it was not asked for yet. */
const dayWords = new Int32Array(3 * (lastItemDay - firstItemDay + 1));

export class AnswerBytes {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #view = viewOf(this.#bytes);
  #at = 0;

  /** Any text, as UTF-8. */
  text(text: string): void {
    this.#reserve(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** An object of texts as JSON, with a comma for its brace at the end: more members are to come. */
  openObject(members: Readonly<Record<string, string>>): void {
    this.text('{');
    for (const name of Object.keys(members)) {
      this.#quoted(name);
      this.#reserve(1);
      this.#bytes[this.#at++] = colon;
      this.#quoted(members[name] ?? '');
      this.#reserve(1);
      this.#bytes[this.#at++] = comma;
    }
  }

  /** `{"rates":[…]}`, as described at `renderRates`. */
  rates(totals: DayTotals, statistics?: DayStatistics): void {
    this.text('{');
    this.ratesMember(totals, statistics);
  }

  /** The same without the brace it begins with. */
  ratesMember({ from, counts, sums }: DayTotals, statistics?: DayStatistics): void {
    let more = 0;
    for (const name of statistics?.keys() ?? []) more += name.length + statisticBytes;
    this.text('"rates":[');
    this.#reserve(counts.length * (dayBytes + more) + 2);
    for (let index = counts.length - 1; index >= 0; index--) {
      this.#day(from + index, counts[index] ?? 0, sums[index] ?? 0);
      if (statistics) this.#ascii(renderStatistics(statistics, index));
      this.#bytes[this.#at++] = endOfDay;
      if (index > 0) this.#bytes[this.#at++] = comma;
    }
    this.#ascii(']}');
  }

  /** What was written, which is the caller's from now on. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#view = viewOf(this.#bytes);
    this.#at = 0;
    return taken;
  }

  /** What was written, as text, where it is all ASCII; the memory is used again. */
  takeText(): string {
    const text = this.#bytes.toString('latin1', 0, this.#at);
    this.#at = 0;
    return text;
  }

  #day(day: number, count: number, sum: number): void {
    const view = this.#view;
    let at = this.#at;
    view.setInt32(at, count1);
    view.setInt32(at + 4, count2);
    this.#bytes[at + 8] = colon;
    this.#at = at + 9;
    if (count === 0) this.#null();
    else if (count < 1e9) this.#at = writeWhole(this.#bytes, this.#at, count);
    else this.#ascii(String(count));
    at = this.#at;
    view.setInt32(at, day1);
    view.setInt32(at + 4, day2);
    this.#at = at + 8;
    this.#dayText(day);
    at = this.#at;
    view.setInt32(at, price1);
    view.setInt32(at + 4, price2);
    this.#at = at + 8;
    if (count < fewestItems) this.#null();
    else this.#price(sum, count);
  }

  /** The day, and what ends it: `2021-01-31",`. */
  #dayText(day: number): void {
    if (!(day >= firstItemDay && day <= lastItemDay)) {
      this.#ascii(`${formatDay(day)}",`);
      return;
    }
    const first = 3 * (day - firstItemDay);
    if (dayWords[first] === 0) {
      const text = `${formatDay(day)}",`;
      for (let index = 0; index < 3; index++) dayWords[first + index] = word(text.slice(4 * index));
    }
    const at = this.#at;
    this.#view.setInt32(at, dayWords[first] ?? 0);
    this.#view.setInt32(at + 4, dayWords[first + 1] ?? 0);
    this.#view.setInt32(at + 8, dayWords[first + 2] ?? 0);
    this.#at = at + 12;
  }

  #null(): void {
    this.#view.setInt32(this.#at, nothing);
    this.#at += 4;
  }

  #price(sum: number, count: number): void {
    const end = writeQuotient(this.#bytes, this.#at, sum, count);
    if (end < 0) this.#ascii(String(sum / count));
    else this.#at = end;
  }

  /** As `JSON.stringify` has it. */
  #quoted(text: string): void {
    this.#reserve(text.length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = quote;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < 32 || code > 126 || code === quote || code === backslash) {
        this.text(JSON.stringify(text));
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = quote;
    this.#at = at;
  }

  /** For few characters; there must be room. */
  #ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  #reserve(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    let length = this.#bytes.length * 2;
    while (length < wanted) length *= 2;
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView =>
  new DataView(buffer, byteOffset, byteLength);

function renderStatistics(statistics: DayStatistics, index: number): string {
  let text = '';
  for (const [name, values] of statistics) {
    const value = values[index] ?? NaN;
    text += `,"${name}":${Number.isNaN(value) ? 'null' : value}`;
  }
  return text;
}
