/** Starts the real program as its users do; imports nothing of src/. */
import { randomInt } from 'node:crypto';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const shared = process.env['FAIRWAY_SHARED'] ?? join(root, '..', 'shared');
export const command = join(root, 'bin', 'fairway');
export const readmeQuestion =
  '/rates?date_from=2021-01-01&date_to=2021-01-31&orig_code=CNGGZ&dest_code=EETLL';

/** The environment of a user: nothing of ours or of PostgreSQL's set, whatever the machine that runs the tests has. */
export function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(FAIRWAY_|PG|DATABASE_URL|npm_|NO_COLOR|FORCE_COLOR|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

/** A folder that is gone after the test, and with it whatever the embedded server kept elsewhere for it. */
export async function withFolder<Result>(
  work: (folder: string) => Promise<Result>,
  mode = 0o755,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-acceptance-'));
  chmodSync(folder, mode);
  const data = join(folder, 'data');
  mkdirSync(data);
  try {
    return await work(data);
  } finally {
    for (const pid of serversOf(data)) process.kill(pid, 'SIGQUIT');
    const elsewhere = clusterFolder(data);
    if (elsewhere?.startsWith('/var/lib/fairway/')) rmSync(elsewhere, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

export function clusterFolder(data: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8')) as { folder: string }).folder;
  } catch {
    return undefined;
  }
}

/** Pids of the PostgreSQL main process of a data folder, by the command lines of all processes. */
export function serversOf(data: string): number[] {
  const cluster = clusterFolder(data);
  if (cluster === undefined) return [];
  const pids = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0]?.endsWith('/postgres') && words.includes(join(cluster, 'data'));
      } catch {
        return false;
      }
    })
    .map(Number);
  // A process that was just forked still bears the words of its parent.
  return pids.filter((pid) => !pids.includes(parentOf(pid)));
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\t([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

export interface Running {
  child: ChildProcess;
  url: string;
  output: () => string;
  /** Resolves with the exit code, or the signal's name. */
  ended: Promise<number | string>;
}

/** Starts `fairway up` (or other words) and waits until it says where it answers. */
export async function start(env: Record<string, string>, words: string[] = ['up']): Promise<Running> {
  const child = spawn(command, words, {
    env: environment({ FAIRWAY_PORT: '0', ...env }),
    // A group of its own, so that a test can send Ctrl-C to all of it as a terminal does.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? '')),
  );
  const url = await new Promise<string>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      const match = /Fairway answers on (http:\S+)/.exec(text);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    void ended.then((code) => reject(new Error(`fairway ended with ${code}:\n${text}`)));
  });
  return { child, url, output: () => text, ended };
}

/** Ctrl-C in the terminal: to the whole group. Resolves with the exit code. */
export function interrupt(running: Running): Promise<number | string> {
  process.kill(-known(running.child.pid), 'SIGINT');
  return running.ended;
}

/** Kills one process at once. */
export const killNow = (pid: number | undefined): boolean => process.kill(known(pid), 'SIGKILL');

/** To `kill`, 0 means the caller's own group: the tests, and CI with them (it happened). */
function known(pid: number | undefined): number {
  if (pid === undefined || pid < 2) throw new Error('there is no process to send a signal to');
  return pid;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. */
export const run = (
  words: string[],
  env: Record<string, string> = {},
  input?: string,
  file = command,
): Promise<Outcome> => begin(words, env, input, file).outcome;

/** Begins a command that may be killed; then its code is -1. */
export function begin(
  words: string[],
  env: Record<string, string> = {},
  input?: string,
  file = command,
): { child: ChildProcess; outcome: Promise<Outcome> } {
  let started: ChildProcess | undefined;
  const outcome = new Promise<Outcome>((resolve) => {
    const child = execFile(
      file,
      words,
      { env: environment(env), maxBuffer: 1 << 28, cwd: tmpdir() },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
    started = child;
  });
  if (!started) throw new Error('it did not start');
  return { child: started, outcome };
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  milliseconds: number,
  what: string | (() => string),
): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end)
      throw new Error(`not within ${milliseconds} ms: ${typeof what === 'string' ? what : what()}`);
    await delay(20);
  }
}

let asked = 0;

/** Whether the README's question is answered, and from the database: never twice the same, and of statistics nothing else is kept. */
export async function answers(url: string): Promise<boolean> {
  try {
    const question = `${url}${readmeQuestion}&stats=avg&asked=${asked++}`;
    const response = await fetch(question, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as { rates?: { count: number | null }[] };
    return response.ok && body.rates?.length === 31 && body.rates[0]?.count === 3;
  } catch {
    return false;
  }
}

/**
 * A port that is free and stays so: not one of those the system hands to clients (32768 and up), or a client that
 * reconnects while a service restarts could be given its port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 20_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
