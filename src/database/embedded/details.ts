/** The connection details of a data folder's server, in postgres.json, so that other commands find it. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

export function readDetails(dataDir: string): Details | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDir, 'postgres.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Details;
  } catch {
    throw new FairwayError(
      'data_folder',
      `${join(dataDir, 'postgres.json')} is damaged; remove ${dataDir} to start afresh, or restore that file`,
    );
  }
}

export function writeDetails(dataDir: string, details: Details): void {
  const path = join(dataDir, 'postgres.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(details, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Makes the data folder; throws `data_folder` that says why it cannot be used. */
export function prepareDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    const probe = join(dataDir, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    chmodSync(probe, 0o600);
    renameSync(probe, join(dataDir, '.probe'));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC')
      throw new FairwayError('disk_full', `the disk of ${dataDir} is full; free space and try again`);
    const reason =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'it, or a folder above it, is a file'
        : code === 'EACCES' || code === 'EROFS'
          ? 'this user may not write there'
          : messageOf(error);
    throw new FairwayError(
      'data_folder',
      `the data folder ${dataDir} cannot be used: ${reason}; choose another with FAIRWAY_DATA_DIR`,
    );
  }
}
