// Compiles src/ to dist/: into a folder of its own first, then swapped, so that nobody sees half of it.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds; returns false where the types do not fit, having printed why. */
export function build() {
  const fresh = join(root, `dist.tmp-${process.pid}`);
  const old = join(root, `dist.old-${process.pid}`);
  const dist = join(root, 'dist');
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const result = spawnSync(tsc, ['-p', join(root, 'tsconfig.json'), '--outDir', fresh], { encoding: 'utf8' });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.stderr.write(
      result.error ? `cannot run ${tsc}: ${result.error.message}\n` : result.stdout + result.stderr,
    );
    return false;
  }
  writeFileSync(join(fresh, '.built'), '');
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href && !build()) process.exitCode = 1;
