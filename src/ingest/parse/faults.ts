/**
 * What can be wrong with a batch: the catalogue of fault codes, each explained in docs/errors.md (a test compares the
 * two both ways), and the log that counts every fault exactly and keeps the first ones. Pure.
 */

export const faultCodes = {
  column_missing: 'the header lacks a column; the rows cannot be understood and were not read',
  column_unknown: 'the header names a column that a batch does not have',
  column_doubled: 'the header names a column twice',
  field_missing: 'a row or an object lacks a field',
  field_extra: 'a row has more fields than the header',
  field_unknown: 'an object has a field that an item does not have',
  field_doubled: 'an object has a field twice',
  field_empty: 'a field holds nothing',
  field_type: 'a field holds something else than a string',
  port_unknown: 'there is no such port',
  same_port: 'origin and destination are the same port',
  day_invalid: 'the day is not a date of the calendar written YYYY-MM-DD',
  day_outside: 'the day is outside 1970-01-01 to 2058-12-31',
  price_invalid: 'the price is not a whole number in plain digits',
  price_outside: 'the price is outside 1 to 2147483647',
  not_utf8: 'the text is not UTF-8',
  nul_character: 'the text holds a NUL character',
  bom_inside: 'a byte order mark stands elsewhere than at the start',
  quote_stray: 'a quote stands inside a field that does not begin with one',
  quote_unclosed: 'a quote is opened here and not closed',
  quote_followed: 'text follows a closing quote',
  line_blank: 'a line between others is blank',
  line_too_long: 'a line, or an item of a JSON array, is longer than 65536 bytes',
  json_syntax: 'this is not JSON',
  json_shape: 'the JSON document is neither an array of items nor {"prices": […]}',
  json_too_large: 'the JSON document is larger than 64 MiB',
  item_not_object: 'an item is something else than an object',
  trailer_invalid: 'the trailer does not declare a whole number',
  trailer_not_last: 'lines follow the trailer',
  count_differs: 'the declared count is not the number of items that came',
  batch_empty: 'the batch has no items',
} as const;

export type FaultCode = keyof typeof faultCodes;

export interface Fault {
  /** Physical line from 1; in a JSON array the item's number from 1 (of json_syntax and json_shape the line). */
  line: number;
  /** Character from 1 at which the field begins, or where exactly it is wrong; in a JSON array 1. */
  column: number;
  field: string | null;
  code: FaultCode;
  message: string;
  /** What stands there, cut at 80 characters. */
  value: string | null;
}
