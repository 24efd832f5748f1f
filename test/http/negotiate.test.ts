/** What an answer is sent as, by Accept and Accept-Encoding. */
import { expect, test } from 'vitest';
import { chooseEncoding, chooseFormat } from '../../src/http/negotiate.js';

test.each([
  [undefined, 'json'],
  ['*/*', 'json'],
  ['image/png', 'json'],
  ['text/csv', 'csv'],
  ['text/csv;q=0.5, */*;q=0.1', 'csv'],
  ['text/csv;q=0, */*', 'json'],
  ['text/*', 'csv'],
  ['application/*', 'json'],
  ['application/*, text/csv;q=0.5', 'json'],
  ['application/json;q=0, */*', 'csv'],
  ['application/json;q=0, application/*', 'ndjson'],
])('Accept: %s takes %s', (accept, format) => {
  expect(chooseFormat(['json', 'csv', 'ndjson'], undefined, accept)).toBe(format);
});

test.each([
  [undefined, undefined],
  ['*', 'br'],
  ['gzip, br', 'br'],
  ['br;q=0, *', 'gzip'],
  ['br;q=0, gzip;q=0.0, *', undefined],
  ['*;q=0', undefined],
  ['gzip;q=1.0, identity;q=0.5, *;q=0', 'gzip'],
])('Accept-Encoding: %s takes %s', (accept, encoding) => {
  expect(chooseEncoding(accept)).toBe(encoding);
});
