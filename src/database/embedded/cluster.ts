/** A cluster on disk and its server process: make it, start it, see whether it answers, stop it. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { codeOf, FairwayError, messageOf } from '../../errors.js';
import type { Account } from './account.js';
import type { Details, EmbeddedConnection } from './details.js';
import { isAlive, signal, waitFor } from './processes.js';
import type { Runtime } from './runtime.js';

const fastStopMilliseconds = 15_000;
const startMilliseconds = 60_000;
const logBytes = 8 << 20;

const dataOf = (folder: string): string => join(folder, 'data');
const logOf = (folder: string): string => join(folder, 'postgres.log');

export const clusterExists = (folder: string): boolean => existsSync(join(dataOf(folder), 'PG_VERSION'));

/** Throws `postgres_version` where the cluster was made by another major version. */
export function checkVersion(folder: string, runtime: Runtime): void {
  const found = readFileSync(join(dataOf(folder), 'PG_VERSION'), 'utf8').trim();
  if (found === runtime.major) return;
  throw new FairwayError(
    'postgres_version',
    `the data in ${folder} belongs to PostgreSQL ${found}, this Fairway brings ${runtime.major}; use the Fairway that made it, or another folder with FAIRWAY_DATA_DIR`,
  );
}

/** Makes the cluster: complete under another name first, then renamed, so that a kill in the middle leaves none. */
export function initialise(
  folder: string,
  runtime: Runtime,
  account: Account | undefined,
  details: EmbeddedConnection,
): void {
  const unfinished = join(folder, 'data.new');
  const passwordFile = join(folder, 'password');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordFile, details.password, { mode: 0o600 });
  if (account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
  const { status, stderr, error } = spawnSync(
    join(runtime.native, 'bin', 'initdb'),
    [
      '-D',
      unfinished,
      '-U',
      details.user,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ],
    { ...account, cwd: folder, env: environment(), encoding: 'utf8' },
  );
  rmSync(passwordFile, { force: true });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw startFailure(folder, error ? messageOf(error) : stderr);
  }
  renameSync(unfinished, dataOf(folder));
}

const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' });

/** Pid of the server by its own file, where that process lives. */
export function runningPid(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dataOf(folder), 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 0 && isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the server answers with our credentials; `starting` while it recovers or its port is not open yet. */
export async function probe(
  connection: EmbeddedConnection,
  database: string,
): Promise<'answers' | 'starting' | 'foreign'> {
  const client = new pg.Client({ ...connection, database, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'answers';
  } catch (error) {
    const code = codeOf(error) ?? '';
    return code === '28P01' || code === '28000' ? 'foreign' : 'starting';
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Starts the server in a session of its own, so that Ctrl-C in the terminal reaches us and not it. Returns its pid
 * once it answers. Throws when it ends before, with the last words of its log.
 */
export async function start(
  runtime: Runtime,
  account: Account | undefined,
  details: Details,
  settings: Record<string, string>,
): Promise<number> {
  const { folder } = details;
  const logFile = logOf(folder);
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > logBytes) rmSync(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const logStart = statSync(logFile).size;
  const options = {
    listen_addresses: details.host,
    port: String(details.port),
    unix_socket_directories: '',
    wal_level: 'replica',
    ...settings,
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(runtime.native, 'bin', 'postgres'), ['-D', dataOf(folder), ...words], {
    ...account,
    cwd: folder,
    env: environment(),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended: string | undefined;
  child.once('error', (error) => (ended = messageOf(error)));
  child.once('exit', () => (ended ??= ''));
  const answered = await waitFor(
    async () => ended !== undefined || (await probe(details, 'postgres')) === 'answers',
    startMilliseconds,
  );
  if (ended !== undefined) throw startFailure(folder, ended || readFileSync(logFile, 'utf8').slice(logStart));
  if (!answered) throw startFailure(folder, 'it does not answer');
  return child.pid ?? 0;
}

function startFailure(folder: string, words: string): FairwayError {
  if (/No space left on device|ENOSPC/.test(words))
    return new FairwayError('disk_full', `the disk of ${folder} is full; free space and start again`);
  const tail = words.trim().split('\n').slice(-6).join('\n  ');
  return new FairwayError(
    'postgres_failed',
    `the bundled PostgreSQL in ${folder} did not start:\n  ${tail}\nIts log is ${logOf(folder)}.`,
  );
}

/** Stops a server whoever started it: fast, and at once where that takes too long. */
export async function stop(pid: number): Promise<void> {
  signal(pid, 'SIGINT');
  if (await waitFor(() => !isAlive(pid), fastStopMilliseconds)) return;
  signal(pid, 'SIGQUIT');
  await waitFor(() => !isAlive(pid), fastStopMilliseconds);
}

/** A port nobody listens on: the wanted one where it is free. */
export async function freePort(host: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && (await tryPort(host, wanted)) !== undefined) return wanted;
  const port = await tryPort(host, 0);
  if (port === undefined) throw new FairwayError('postgres_failed', `no port is free on ${host}`);
  return port;
}

function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
