import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/config.js';
import { catalogue } from '../src/errors.js';

test('docs/errors.md has every error of the catalogue, with its status and exit code, and no other', () => {
  const text = readFileSync(join(packageRoot, 'docs', 'errors.md'), 'utf8');
  const documented = [...text.matchAll(/^\| `([a-z_]+)` +\| ([0-9]{3}) +\| ([0-9]) +\|/gm)].map(
    ([, code, status, exit]) => `${code} ${status} ${exit}`,
  );
  const known = Object.entries(catalogue).map(([code, { status, exit }]) => `${code} ${status} ${exit}`);
  expect(documented.toSorted()).toEqual(known.toSorted());
});
