// Installs and builds what is missing or older than the lock file and the sources. Silent where there is nothing to do.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, '.prepare.lock');
const changed = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The newest change below a folder; folders count too, so that a file taken away is seen. */
function newest(folder) {
  let latest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

const mustInstall = () => changed('node_modules/.package-lock.json') < changed('package-lock.json');
const mustBuild = () =>
  changed('dist/.built') <
  Math.max(newest(join(root, 'src')), changed('tsconfig.json'), changed('package-lock.json'));

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(`Fairway needs Node.js 20.19 or newer; this is ${process.version}\n`);
  process.exit(1);
}

/** Makes everything ready to run, or says why it cannot and ends the process. */
export function prepare() {
  checkNode();
  // A production image has no sources: what is there is what runs.
  if (!existsSync(join(root, 'src')) || !(mustInstall() || mustBuild())) return;
  takeLock();
  try {
    if (mustInstall()) install();
    if (mustBuild()) {
      process.stderr.write('building…\n');
      if (!build()) process.exit(1);
    }
  } finally {
    rmSync(lock, { force: true });
  }
}

function install() {
  process.stderr.write('installing what is needed…\n');
  // npm hands its own settings down as npm_… variables; those of the outer call are not meant for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_(config|package|lifecycle|command)/i.test(name) ||
        /^npm_config_(cafile|registry|proxy|https_proxy|cache|userconfig|globalconfig)$/i.test(name),
    ),
  );
  const words = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, stdout, stderr, error } = spawnSync('npm', words, { cwd: root, env, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(
    error
      ? `cannot run npm: ${error.message}\n`
      : `${stdout}${stderr}npm ci failed; is the npm registry reachable?\n`,
  );
  rmSync(lock, { force: true });
  process.exit(1);
}

/** Two copies started at once in one checkout must not install over each other. */
function takeLock() {
  for (;;) {
    try {
      const file = openSync(lock, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      process.once('exit', () => rmSync(lock, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') {
        process.stderr.write(
          `cannot write to ${root} (${error.message}), and something is to be installed or built there\n`,
        );
        process.exit(1);
      }
    }
    let owner = '';
    try {
      owner = readFileSync(lock, 'utf8');
    } catch {
      continue;
    }
    if (owner !== '' && !alive(Number(owner))) rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) prepare();
