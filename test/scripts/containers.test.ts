import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'containers.mjs');

function short(words: string[], env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('an unknown word ends with 2 and the usage, help with 0', () => {
  const unknown = short(['start'], {});
  expect(unknown).toMatchObject({ status: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^there is no word 'start'\n\nUsage: /);
  for (const words of [[], ['--help']]) {
    const help = short(words, {});
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: npm run containers -- WORD/);
  }
});

test('without docker it says what to install', () => {
  expect(short(['up'], { PATH: '/no/such/folder' })).toEqual({
    status: 1,
    stdout: '',
    stderr:
      'there is no docker on this machine: install Docker Engine 20.10 or newer with Compose 2.26 or newer\n',
  });
});

test('it hands words, exit code and a dump on to docker compose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-docker-'));
  try {
    const docker = join(folder, 'docker');
    writeFileSync(docker, '#!/bin/sh\necho "$@" "dump=$FAIRWAY_DUMP" "seed=$FAIRWAY_SEED"\nexit 7\n');
    chmodSync(docker, 0o755);
    // The shell of the line above must be found; git need not be.
    const env = { PATH: folder, INIT_CWD: '/somewhere' };
    expect(short(['up', '--no-build'], { ...env, FAIRWAY_SEED: 'rates.sql' })).toEqual({
      status: 7,
      stdout: 'compose up --build --wait --no-build dump=/somewhere/rates.sql seed=\n',
      stderr: '',
    });
    const none = short(['down', '-v'], { ...env, FAIRWAY_SEED: 'none' });
    expect(none.stdout).toBe('compose --profile * down -v dump= seed=none\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
