/** The connection details of a data folder's server, in postgres.json, so that other commands find it. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf, FairwayError, messageOf } from '../../errors.js';

export interface EmbeddedConnection {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface Details extends EmbeddedConnection {
  /** Folder of the cluster and its log. */
  folder: string;
}

export const dataOf = (folder: string): string => join(folder, 'data');

/** Throws `data_folder` where this user may not look: data of another user must not be taken for none. */
export function clusterExists(folder: string): boolean {
  try {
    statSync(join(dataOf(folder), 'PG_VERSION'));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw folderFault(folder, error);
  }
}

/** What is recorded, with the folder where the cluster is now. Throws `data_folder` where the record is damaged. */
export function readDetails(dataDir: string): Details | undefined {
  const path = join(dataDir, 'postgres.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw folderFault(dataDir, error);
  }
  const details = parseDetails(text);
  if (!details) {
    throw new FairwayError(
      'data_folder',
      `${path} is damaged; restore that file, or remove ${dataDir} to start afresh`,
    );
  }
  // A data folder that was moved or copied brings its cluster along; the recorded place may be the original's.
  const inside = join(dataDir, basename(details.folder));
  return clusterExists(inside) ? { ...details, folder: inside } : details;
}

function parseDetails(text: string): Details | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof Details, unknown>> | null;
    const words = [value?.host, value?.user, value?.password, value?.database, value?.folder];
    const complete = words.every((word) => typeof word === 'string') && Number.isInteger(value?.port);
    return complete ? (value as Details) : undefined;
  } catch {
    return undefined;
  }
}

export function writeDetails(dataDir: string, details: Details): void {
  const path = join(dataDir, 'postgres.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(details, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Makes the data folder; throws `data_folder` or `disk_full` that says why it cannot be used. */
export function prepareDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    const probe = join(dataDir, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe, { force: true });
  } catch (error) {
    throw folderFault(dataDir, error);
  }
}

/** What the system threw about a folder, as an error that says what to do; a FairwayError stays as it is. */
export function folderFault(folder: string, error: unknown): FairwayError {
  if (error instanceof FairwayError) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new FairwayError('disk_full', `the disk of ${folder} is full; free space and try again`, {
      cause: error,
    });
  }
  const reason =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? 'it, or a folder above it, is a file'
      : code === 'EACCES' || code === 'EROFS' || code === 'EPERM'
        ? 'this user may not read and write there'
        : messageOf(error);
  return new FairwayError(
    'data_folder',
    `the data folder ${folder} cannot be used: ${reason}; run Fairway as the user who owns it, or choose another with FAIRWAY_DATA_DIR`,
    { cause: error },
  );
}
