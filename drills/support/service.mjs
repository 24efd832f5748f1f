// The real program with an embedded database, started, killed and stopped by the drill that owns it.
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import pg from 'pg';
import { until } from './client.mjs';

const startMilliseconds = 60_000;
const stopMilliseconds = 30_000;

/**
 * A folder that PostgreSQL's user may enter, gone after the work, and with it a server that was left behind.
 * @template T
 * @param {(folder: string) => Promise<T>} work
 */
export async function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-drill-'));
  chmodSync(folder, 0o755);
  const interrupted = new Promise((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => reject(new Error('interrupted')));
  });
  try {
    return /** @type {T} */ (await Promise.race([work(folder), interrupted]));
  } finally {
    await Promise.all([...running].map((service) => service.stop()));
    await stopDatabase(join(folder, 'data'));
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Folder and connection of the embedded database. @param {string} data */
export const databaseOf = (data) => JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8'));

/** @param {string} data */
async function stopDatabase(data) {
  let folder = '';
  try {
    folder = databaseOf(data).folder;
    signal(Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGQUIT');
    await until(
      'PostgreSQL has ended',
      stopMilliseconds,
      () => !exists(join(folder, 'data', 'postmaster.pid')),
    );
  } catch {
    // It was stopped by the program, as it should be.
  }
  if (folder.startsWith('/var/lib/fairway/')) rmSync(folder, { recursive: true, force: true });
}

/** @param {string} path */
function exists(path) {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * To `kill`, 0 means the caller's own group: the drill, and CI with it.
 * @param {number | undefined} pid
 * @param {NodeJS.Signals} name
 */
export function signal(pid, name) {
  if (pid === undefined || !Number.isSafeInteger(pid) || pid < 2)
    throw new Error('there is no process to send a signal to');
  process.kill(pid, name);
}

/** One that the system hands to no client, so that it is still free after a restart. */
export async function freePort() {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(12_000, 20_000);
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error('no port is free');
}

/** A user's environment: nothing of ours, PostgreSQL's or npm's. @param {Record<string, string>} more */
export const cleanEnvironment = (more) => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(FAIRWAY_|PG|DATABASE_URL|npm_|NODE_)/.test(name)),
  ),
  ...more,
});

/** So that an interrupted drill stops what it started. @type {Set<{ stop: () => Promise<void> }>} */
export const running = new Set();

export class Service {
  /** @param {{ root: string, data: string, log: string, port: number, uploads?: number }} options */
  constructor({ root, data, log, port, uploads = 3 }) {
    this.root = root;
    this.log = log;
    this.url = `http://127.0.0.1:${port}`;
    this.env = cleanEnvironment({
      FAIRWAY_DATA_DIR: data,
      FAIRWAY_PORT: String(port),
      FAIRWAY_SEED: 'none',
      FAIRWAY_LOG_LEVEL: 'warn',
      FAIRWAY_UPLOADS: String(uploads),
      // All readers share an address.
      FAIRWAY_BUDGET: '0',
    });
    /** @type {import('node:child_process').ChildProcess | undefined} */
    this.child = undefined;
    /** @type {Promise<unknown>} */
    this.ended = Promise.resolve();
  }

  /** Resolves when it says that it answers. */
  async start() {
    const file = openSync(this.log, 'a');
    const child = spawn(process.execPath, [join(this.root, 'dist', 'main.js'), 'up'], {
      env: this.env,
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', file],
    });
    closeSync(file);
    this.child = child;
    running.add(this);
    let text = '';
    let over = false;
    child.stdout.on('data', (piece) => (text += piece));
    this.ended = new Promise((resolve) => child.once('exit', resolve)).then(() => (over = true));
    await until('the service answers', startMilliseconds, () => {
      if (over) throw new Error(`the service ended:\n${text}${readFileSync(this.log, 'utf8').slice(-2_000)}`);
      return text.includes('Fairway answers on');
    });
  }

  get pid() {
    return this.child?.pid;
  }

  /** At once, with all it was doing. */
  async kill() {
    signal(this.pid, 'SIGKILL');
    await this.ended;
  }

  /** As a balancer's machine stops it; does nothing where it has ended. */
  async stop() {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    signal(child.pid, 'SIGCONT');
    signal(child.pid, 'SIGTERM');
    const timer = setTimeout(() => signal(child.pid, 'SIGKILL'), stopMilliseconds);
    await this.ended;
    clearTimeout(timer);
  }
}

/**
 * A connection to the database, apart from the service.
 * @template T
 * @param {string} data
 * @param {(client: pg.Client) => Promise<T>} work
 */
export async function withDatabase(data, work) {
  const { host, port, user, password, database } = databaseOf(data);
  const client = new pg.Client({ host, port, user, password, database, application_name: 'drill' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
