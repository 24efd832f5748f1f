import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { root } from '../acceptance/support.js';
import { docker, must } from './support.js';

interface ImageDetails {
  Size: number;
  Config: {
    User: string;
    Env: string[];
    Entrypoint: string[];
    Cmd: string[];
    Labels: Record<string, string>;
    Healthcheck: { Test: string[] };
  };
}

async function details(image: string): Promise<ImageDetails> {
  const [inspected] = JSON.parse(must(await docker(['image', 'inspect', image]))) as [ImageDetails];
  return inspected;
}

const inside = async (script: string): Promise<string> =>
  must(await docker(['run', '--rm', '--read-only', '--entrypoint', 'sh', inject('image'), '-c', script]));

test('the image runs the service, not as root, with a health check and labels', async () => {
  const { Config: config } = await details(inject('image'));
  expect(config.User).toBe('1000:1000');
  expect([...config.Entrypoint, ...config.Cmd]).toEqual([
    'node',
    '--max-semi-space-size=4',
    '--heap-growing-percent=100',
    '/app/dist/main.js',
    'serve',
  ]);
  expect(config.Healthcheck.Test).toEqual(['CMD', 'node', '/app/deploy/healthcheck.mjs', 'live']);
  expect(config.Labels).toMatchObject({
    'org.opencontainers.image.title': 'Fairway',
    'org.opencontainers.image.licenses': 'MIT',
    'org.opencontainers.image.revision': 'test',
  });
  expect(await inside('id -u; id -g')).toBe('1000\n1000');
});

test('there are neither build tools nor sources in it, and nothing its user could change', async () => {
  const tools = 'npm npx yarn corepack tsc gcc g++ cc make python3 git psql initdb';
  expect(await inside(`for tool in ${tools}; do command -v $tool || true; done`)).toBe('');
  expect(await inside('find / -xdev -type d -name npm -not -path "/proc/*" 2>/dev/null || true')).toBe('');
  const sources = /^(\..*|src|test|acceptance|containers|scripts|bench|docs|tsconfig.*|package-lock.json)$/;
  expect((await inside('ls -A /app')).split('\n').filter((name) => sources.test(name))).toEqual([]);
  expect(await inside('find /app ! -user root -o -perm /022 ! -type l')).toBe('');
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  const installed = (await inside('cd /app/node_modules && ls -d * @*/*')).split('\n');
  expect(installed).toEqual(expect.arrayContaining(Object.keys(dependencies ?? {})));
  expect(installed.filter((name) => Object.hasOwn(devDependencies ?? {}, name))).toEqual([]);
  expect(installed.filter((name) => name.includes('embedded'))).toEqual([]);
});

test('it is little more than its base', async () => {
  const [own, base] = await Promise.all([details(inject('image')), details('node:24-bookworm-slim')]);
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  process.stdout.write(`image ${megabytes(own.Size)} MB, its base ${megabytes(base.Size)} MB\n`);
  expect(megabytes(own.Size - base.Size)).toBeLessThan(40);
});

test('the command works in it, on a read-only file system; without a service it is not healthy', async () => {
  expect((await inside('fairway sample --items 2000')).split('\n')).toHaveLength(2001);
  const check = await docker([
    'run',
    '--rm',
    '--entrypoint',
    'node',
    inject('image'),
    '/app/deploy/healthcheck.mjs',
    'live',
  ]);
  expect(check.code).toBe(1);
  expect(check.stdout).toContain('http://127.0.0.1:3000/health/live: connect ECONNREFUSED');
});
