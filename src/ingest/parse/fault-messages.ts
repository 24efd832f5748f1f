/** What a fault says to the supplier: in go its code, field and value, out comes a sentence. Pure. */
import type { FaultCode } from './faults.js';
import { fieldNames, highestPrice } from './fields.js';

export interface Facts {
  /** Empty where the fault is of no one field. */
  field: string;
  /** What stands there, cut; empty where nothing does. */
  value: string;
  /** What only the finder knows. */
  detail: string;
}

const longestValue = 80;
const columns = fieldNames.join(', ');

/** Text that is to be shown: cut at 80 characters, and without NUL, which PostgreSQL does not store. */
export function shown(bytes: Uint8Array, start: number, end: number): string {
  const few = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, longestValue * 5));
  const text = few.toString('utf8').replaceAll('\0', '␀');
  return text.length <= longestValue ? text : Array.from(text).slice(0, longestValue).join('');
}

export const messages: Record<FaultCode, (facts: Facts) => string> = {
  column_missing: ({ field }) => `the header has no column ${field}; the rows were not read`,
  column_unknown: ({ value, detail }) => `unknown column '${value}'${detail}; a batch has ${columns}`,
  column_doubled: ({ value }) => `the column ${value} comes a second time`,
  field_missing: ({ field }) => `${field} is missing`,
  field_extra: ({ detail }) => detail,
  field_unknown: ({ value }) => `unknown field '${value}'; an item has ${columns}`,
  field_doubled: ({ value }) => `the field ${value} comes a second time`,
  field_empty: ({ field }) => `${field} is empty`,
  field_type: ({ field }) => `${field} is not a string`,
  port_unknown: ({ value, detail }) => `unknown port '${value}'${detail}`,
  same_port: ({ value }) => `origin and destination are both ${value}`,
  day_invalid: ({ value }) => `'${value}' is not a date of the calendar written YYYY-MM-DD`,
  day_outside: ({ value }) => `${value} is outside 1970-01-01 to 2058-12-31`,
  price_invalid: ({ value }) => `'${value}' is not a whole number in plain digits`,
  price_outside: ({ value }) => `${value} is outside 1 to ${highestPrice}`,
  not_utf8: () => 'here is a byte that is not UTF-8',
  nul_character: () => 'here is a NUL character',
  bom_inside: () => 'here is a byte order mark, which may only stand at the very start',
  quote_stray: () => 'a quote inside a field that does not begin with one',
  quote_unclosed: () =>
    'the quote opened here is not closed, or closed lines later at an odd place; reading goes on after this line',
  quote_followed: () => 'text follows the closing quote',
  line_blank: () => 'a blank line',
  line_too_long: ({ detail }) => `longer than 65536 bytes${detail}`,
  json_syntax: ({ detail }) => detail,
  json_shape: ({ detail }) => detail,
  json_too_large: () => 'the document is larger than 64 MiB; send NDJSON or CSV, which may have any size',
  item_not_object: ({ value }) => `'${value}' is not an object with ${columns}`,
  trailer_invalid: ({ value }) => `'${value}' declares no whole number of items`,
  trailer_not_last: () => 'the trailer that declares the number of items must be the last line',
  count_differs: ({ value, detail }) => `${value} items were declared, ${detail} came`,
  batch_empty: () => 'the batch has no items',
};
