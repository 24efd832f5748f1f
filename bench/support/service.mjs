// The real program as its users run it: a child process with the embedded database, its log going to a file.
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './children.mjs';

/** A folder that PostgreSQL's user may enter, gone after the work. */
export async function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  chmodSync(folder, 0o755);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Starts `fairway up` and waits until it says where it answers. `log`: the file its standard error goes to; `more`: settings. */
export async function startService({ root, dataDir, level, log, more = {} }) {
  // Appending, so that the file can be emptied between measurements.
  const file = openSync(log, 'a');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // What `npm start` runs Node with.
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
  const child = spawn(process.execPath, [...flags, join(root, 'dist', 'main.js'), 'up'], {
    env: cleanEnvironment({
      FAIRWAY_DATA_DIR: dataDir,
      FAIRWAY_PORT: '0',
      FAIRWAY_LOG_LEVEL: level,
      ...more,
    }),
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', file],
  });
  const ended = new Promise((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? '')),
  );
  let text = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const address = /Fairway answers on (http:\S+)/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
    void ended.then((code) =>
      reject(new Error(`fairway ended with ${code}:\n${text}${readFileSync(log, 'utf8').slice(-2_000)}`)),
    );
  });
  let stopped;
  const stop = () =>
    (stopped ??= (async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      closeSync(file);
    })());
  return { pid: child.pid, url, stop, emptyLog: () => ftruncateSync(file) };
}

/** Loads generated items with the program's own commands: `fairway sample … | fairway import -`. */
export async function importSample({ root, dataDir, items }) {
  const program = join(root, 'dist', 'main.js');
  const env = cleanEnvironment({ FAIRWAY_DATA_DIR: dataDir });
  const range = ['--from', '2021-01-01', '--to', '2030-12-31'];
  const words = ['sample', '--items', String(items), '--seed', '1', ...range, '--format', 'dump'];
  const from = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const into = spawn(process.execPath, [program, 'import', '-'], {
    env,
    stdio: [from.stdout, 'pipe', 'pipe'],
  });
  // The importer has the pipe now; a reader more would keep the generator from noticing its end.
  from.stdout.destroy();
  let text = '';
  for (const stream of [into.stdout, into.stderr]) stream.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => into.once('close', resolve));
  if (code !== 0) throw new Error(`fairway import ended with ${code}: ${text}`);
}

/** Connection options of the embedded database of a data folder. */
export function databaseOf(dataDir) {
  const { host, port, user, password, database } = JSON.parse(
    readFileSync(join(dataDir, 'postgres.json'), 'utf8'),
  );
  return { host, port, user, password, database };
}
