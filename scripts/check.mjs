// npm run check: types, lint, format, structure, generated files. Shows every fault, then fails.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { structureFaults } from './structure.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (name) => join(root, 'node_modules', '.bin', name);

function run(command, ...words) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd: root, encoding: 'utf8' });
  return status === 0 ? [] : [error?.message ?? `${stdout}${stderr}`.trim()];
}

function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = relative(root, join(root, folder, name));
      return { path, text: readFileSync(join(root, path), 'utf8') };
    });
}

const steps = {
  types: () => [
    ...run(tool('tsc'), '--noEmit', '-p', '.'),
    ...run(tool('tsc'), '--noEmit', '-p', 'tsconfig.test.json'),
    ...run(tool('tsc'), '--noEmit', '-p', 'web'),
  ],
  lint: () =>
    run(
      tool('oxlint'),
      '--type-aware',
      '--deny-warnings',
      'src',
      'test',
      'acceptance',
      'containers',
      'scripts',
      'bench',
      'drills',
      'web',
    ),
  format: () => run(tool('prettier'), '--check', '--log-level', 'warn', '.'),
  structure: () => structureFaults(sources('src')),
  'generated files': () => [
    ...run(process.execPath, 'scripts/schema.mjs', '--check'),
    ...run(process.execPath, 'scripts/openapi.mjs', '--check'),
  ],
};

let failed = false;
for (const [name, step] of Object.entries(steps)) {
  const faults = step();
  process.stdout.write(`${faults.length === 0 ? 'ok    ' : 'FAILED'}  ${name}\n`);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  if (faults.length > 0) failed = true;
}
process.exitCode = failed ? 1 : 0;
