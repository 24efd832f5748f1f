/**
 * The embedded PostgreSQL of a data folder: found running or started, restarted when it crashes, stopped by the last
 * process that lets go of it. In goes a data folder, out come connection details.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../../errors.js';
import type { Emit } from '../../events.js';
import { canEnter, serverAccount, type Account } from './account.js';
import {
  checkVersion,
  clusterExists,
  freePort,
  initialise,
  probe,
  runningPid,
  start,
  stop,
} from './cluster.js';
import {
  prepareDataFolder,
  readDetails,
  writeDetails,
  type Details,
  type EmbeddedConnection,
} from './details.js';
import { hold, underLock } from './holders.js';
import { isAlive, waitFor } from './processes.js';
import { findRuntime, systemFolder, type Runtime } from './runtime.js';

export type { EmbeddedConnection } from './details.js';

export interface EmbeddedServer {
  readonly connection: EmbeddedConnection;
  /** Of its files. */
  readonly folder: string;
  /** Lets go; the last holder stops the server. May be called twice. */
  release(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  emit: Emit;
  /** The npm package with the binaries; by default that of this platform. */
  packageName?: string;
  /** More PostgreSQL settings. */
  settings?: Record<string, string>;
}

interface Setup {
  options: EmbeddedOptions;
  account: Account | undefined;
  runtime: Runtime;
}

const host = '127.0.0.1';
const superuser = 'fairway';
const databaseName = 'fairway';
const orphanMilliseconds = 15_000;
const watchMilliseconds = 100;
const longestPause = 5_000;

/**
 * Uses the running server of the data folder, whoever started it, or starts it, and watches over it until released.
 * Throws `postgres_unsupported`, `postgres_failed`, `postgres_version`, `data_folder` or `disk_full`.
 */
export async function acquireEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  prepareDataFolder(options.dataDir);
  const account = serverAccount();
  const setup = { options, account, runtime: findRuntime(account, options.dataDir, options.packageName) };
  const holding = hold(options.dataDir);
  let details: Details;
  let pid: number;
  try {
    ({ details, pid } = await underLock(options.dataDir, () => ensureRunning(setup)));
  } catch (error) {
    holding.release();
    throw error;
  }
  const watching = watch(setup, details, pid);
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    await watching.end();
    await underLock(options.dataDir, async () => {
      holding.release();
      const running = runningPid(details.folder);
      if (running === undefined || holding.otherHolders()) return;
      await stop(running);
      options.emit({ kind: 'postgres-stopped', pid: running });
    });
  };
  const { port, user, password, database } = details;
  return {
    connection: { host, port, user, password, database },
    folder: details.folder,
    release: () => (released ??= release()),
  };
}

async function ensureRunning(setup: Setup): Promise<{ details: Details; pid: number }> {
  const { options, account, runtime } = setup;
  let details = readDetails(options.dataDir);
  if (details && clusterExists(details.folder)) {
    checkVersion(details.folder, runtime);
    const pid = await useRunning(details, options.emit);
    if (pid !== undefined) return { details, pid };
  } else {
    details = newDetails(options.dataDir, account);
    options.emit({ kind: 'postgres-initialising', folder: details.folder, version: runtime.version });
    initialise(details.folder, runtime, account, details);
  }
  details = { ...details, port: await freePort(host, details.port || undefined) };
  writeDetails(options.dataDir, details);
  const pid = await start(runtime, account, details, options.settings ?? {});
  options.emit({ kind: 'postgres-started', pid, port: details.port });
  await ensureDatabase(details);
  return { details, pid };
}

/** The pid of a server that runs and answers; one that runs and does not is stopped. */
async function useRunning(details: Details, emit: Emit): Promise<number | undefined> {
  const pid = runningPid(details.folder);
  if (pid === undefined) return undefined;
  const answers = await waitFor(
    async () => !isAlive(pid) || (await probe(details, 'postgres')) !== 'starting',
    orphanMilliseconds,
  );
  if (answers && isAlive(pid) && (await probe(details, 'postgres')) === 'answers') {
    emit({ kind: 'postgres-adopted', pid, port: details.port });
    await ensureDatabase(details);
    return pid;
  }
  await stop(pid);
  return undefined;
}

/** Where its user cannot enter the data folder, the cluster lies in a folder of the system's, under a name of its own. */
function newDetails(dataDir: string, account: Account | undefined): Details {
  const inside = join(dataDir, 'postgres');
  let folder = inside;
  if (account && !canEnter(account, dataDir)) {
    mkdirSync(systemFolder, { recursive: true, mode: 0o755 });
    folder = join(systemFolder, randomBytes(8).toString('hex'));
  }
  if (!clusterExists(folder)) rmSync(folder, { recursive: true, force: true });
  else folder = join(dataDir, `postgres-${randomBytes(4).toString('hex')}`);
  return {
    host,
    port: 0,
    user: superuser,
    password: randomBytes(18).toString('base64url'),
    database: databaseName,
    folder,
  };
}

async function ensureDatabase(details: Details): Promise<void> {
  const client = new pg.Client({ ...details, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${databaseName}`);
  } finally {
    await client.end();
  }
}

/** Restarts the server at the same port whenever it is found dead. */
function watch(setup: Setup, details: Details, firstPid: number): { end(): Promise<void> } {
  const { emit, dataDir, settings } = setup.options;
  let pid = firstPid;
  const ending = new AbortController();
  const restart = async (): Promise<number> =>
    underLock(dataDir, async () => {
      const running = runningPid(details.folder);
      if (running !== undefined) return running;
      const started = await start(setup.runtime, setup.account, details, settings ?? {});
      emit({ kind: 'postgres-started', pid: started, port: details.port });
      return started;
    });
  const loop = async (): Promise<void> => {
    let pause = watchMilliseconds;
    while (!ending.signal.aborted) {
      await delay(pause, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
      if (ending.signal.aborted || isAlive(pid)) continue;
      if (pause === watchMilliseconds) emit({ kind: 'postgres-crashed', pid });
      try {
        pid = await restart();
        pause = watchMilliseconds;
      } catch (error) {
        // Backends of the old server may still hold its memory for a moment; a lasting reason is said each time.
        if (pause > 1_000) emit({ kind: 'postgres-restart-failed', reason: messageOf(error) });
        pause = Math.min(longestPause, pause * 1.5);
      }
    }
  };
  const done = loop();
  return {
    end: () => {
      ending.abort();
      return done;
    },
  };
}
