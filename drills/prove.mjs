// prove: each patch of breaks/ breaks one promise; its drill, run in a copy that has it, must find exactly that. A drill
// that cannot fail is worth nothing.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { wrongUse } from './support/options.mjs';
import { progress } from './support/verdict.mjs';
import { cleanEnvironment } from './support/service.mjs';

const load = ['--seconds', '20', '--writers', '8', '--readers', '4', '--large', '12'];
const drillMilliseconds = 240_000;
/** Breaks that are proven at a time: half of a drill is waiting, for leases, for starts and stops. */
const atOnce = 2;

const version = process.env['FAIRWAY_TEST_POSTGRES'];
const onVersion = version === undefined ? {} : { FAIRWAY_TEST_POSTGRES: version };

/** Which drill must fail, and by finding which promise broken. */
const breaks = {
  // Kills come by chance, and after one most writers wait for their leases: long enough for three times that much.
  'acknowledge-before-commit': {
    drill: ['kill-service', ...load, '--seconds', '30', '--readers', '1', '--large', '1000', '--go-on'],
    promises: ['kept'],
  },
  'no-row-lock': { drill: ['stalled-loader', '--scene', 'publisher'], promises: ['kept', 'whole'] },
  'no-fencing': { drill: ['stalled-loader', '--scene', 'loader'], promises: ['clean'] },
  'hidden-shows': { drill: ['torn-batch', ...load, '--large', '4'], promises: ['whole', 'past'] },
  'withdrawn-stays': { drill: ['torn-batch', ...load], promises: ['rollups'] },
  'watermark-alone': { drill: ['torn-batch', ...load], promises: ['rollups'] },
  'replica-behind': { drill: ['torn-batch', ...load, '--standby'], promises: ['past'] },
  'cache-not-invalidated': { drill: ['torn-batch', ...load], promises: ['whole'] },
};

/** @param {string[]} words @param {string} root */
export async function run(words, root) {
  const json = words.includes('--json');
  const names = words.filter((word) => word !== '--json');
  for (const name of names)
    if (!Object.hasOwn(breaks, name))
      throw wrongUse(`there is no break '${name}'; there is ${Object.keys(breaks).join(', ')}`);
  const waiting = Object.entries(breaks).filter(([name]) => names.length === 0 || names.includes(name));
  /** @type {{ name: string, caught: boolean, how: string, seconds: number }[]} */
  const results = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, expected] = next;
      progress(`${name}: ${expected.drill[0]}`);
      const begun = performance.now();
      const proof = await prove(root, name, expected);
      const seconds = Math.round((performance.now() - begun) / 1_000);
      progress('');
      results.push({ name, ...proof, seconds });
      if (json) continue;
      const verdict = proof.caught ? 'caught' : 'NOT CAUGHT';
      process.stdout.write(`${verdict}  ${name} (${seconds} s): ${proof.how}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (json) process.stdout.write(`${JSON.stringify({ drill: 'prove', results })}\n`);
  return results.every(({ caught }) => caught) ? 0 : 1;
}

/** @param {string} root @param {string} name @param {{ drill: string[], promises: string[] }} expected */
async function prove(root, name, { drill, promises }) {
  const copy = mkdtempSync(join(tmpdir(), 'fairway-break-'));
  chmodSync(copy, 0o755);
  try {
    copyCheckout(root, copy);
    const patch = join(root, 'drills', 'breaks', `${name}.patch`);
    const applied = spawnSync('git', ['apply', '--whitespace=nowarn', patch], {
      cwd: copy,
      encoding: 'utf8',
    });
    if (applied.status !== 0) return { caught: false, how: `the patch does not apply: ${applied.stderr}` };
    const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: copy, encoding: 'utf8' });
    if (built.status !== 0) return { caught: false, how: `it does not build: ${built.stderr}` };
    const { code, stdout, stderr } = await runDrill(copy, drill);
    if (code !== 1)
      return { caught: false, how: `${drill[0]} ended with ${code}: ${stdout}${stderr}`.slice(0, 2_000) };
    const { findings } = JSON.parse(stdout);
    const found = findings.find((/** @type {any} */ { promise }) => promises.includes(promise));
    return found
      ? { caught: true, how: `${drill[0]} found '${found.promise}' broken: ${found.text}` }
      : { caught: false, how: `${drill[0]} failed, but found ${JSON.stringify(findings)}` };
  } finally {
    rmSync(copy, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** What git knows of, as it stands in the folder; packages by a link. @param {string} root @param {string} copy */
function copyCheckout(root, copy) {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout, stderr } = spawnSync('git', words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`);
  for (const path of stdout.split('\0').filter((path) => path !== '')) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { force: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** Not through npm: it would install into the packages that are linked. @param {string} copy @param {string[]} drill */
function runDrill(copy, drill) {
  const child = spawn(process.execPath, ['drills/run.mjs', ...drill, '--json'], {
    cwd: copy,
    env: cleanEnvironment(onVersion),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (piece) => (stdout += piece));
  child.stderr.on('data', (piece) => (stderr += piece));
  // SIGINT lets it stop what it started.
  const timer = setTimeout(() => child.kill('SIGINT'), drillMilliseconds);
  return new Promise(
    (/** @type {(value: { code: number | null, stdout: string, stderr: string }) => void} */ resolve) =>
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout, stderr });
      }),
  );
}
