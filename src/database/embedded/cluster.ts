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
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
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

/** Up to so many bytes a process of the server keeps what it let go of, for the next statement. */
const keptBytes = String(2 << 20);

const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'] ?? '',
  LC_ALL: 'C',
  TZ: 'UTC',
  // By default glibc gives 128 kB back to the system each time, and is given as much again, page by page.
  MALLOC_TRIM_THRESHOLD_: keptBytes,
  MALLOC_MMAP_THRESHOLD_: keptBytes,
});

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
    // Not waited for: after a connection that broke in the handshake, `end` never settles (pg 8).
    client.end().catch(() => undefined);
  }
}

/** A 64th of the machine's memory, within bounds: what is used of it is what is read (docs/decisions/0003-rollups.md). */
const sharedMegabytes = (): number => Math.min(512, Math.max(128, Math.floor(totalmem() / 64 / (1 << 20))));

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
    shared_buffers: `${sharedMegabytes()}MB`,
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

/**
 * A port nobody listens on: the wanted one where it is free. Never one of those the system hands to clients (32768 and
 * up): while the server is down, a client that reconnects in a hurry could be given the server's own port, and the
 * server could not come back (seen under load after kill -9).
 */
export async function freePort(host: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && (await isFree(host, wanted))) return wanted;
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(20_000, 32_768);
    if (await isFree(host, port)) return port;
  }
  throw new FairwayError('postgres_failed', `no port from 20000 to 32767 is free on ${host}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
