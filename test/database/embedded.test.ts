import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireEmbedded } from '../../src/database/embedded/index.js';
import { makeLinks } from '../../src/database/embedded/runtime.js';
import type { FairwayEvent } from '../../src/events.js';

async function withFolder(
  work: (folder: string, events: FairwayEvent[], kinds: () => string[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-embedded-'));
  chmodSync(folder, 0o755);
  const events: FairwayEvent[] = [];
  try {
    await work(folder, events, () => events.map((event) => event.kind));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('two holders share one server; the last to let go stops it', () =>
  withFolder(async (dataDir, events, kinds) => {
    const options = { dataDir, emit: (event: FairwayEvent) => void events.push(event) };
    const [first, second] = await Promise.all([acquireEmbedded(options), acquireEmbedded(options)]);
    expect(second.connection).toEqual(first.connection);
    expect(kinds()).toEqual(['postgres-initialising', 'postgres-started', 'postgres-adopted']);
    await first.release();
    await first.release();
    expect(kinds()).not.toContain('postgres-stopped');
    await second.release();
    expect(kinds().at(-1)).toBe('postgres-stopped');
    expect(readdirSync(join(dataDir, 'holders'))).toEqual([]);
    expect(existsSync(join(dataDir, 'lock'))).toBe(false);
  }));

test('what killed processes left behind does not matter', () =>
  withFolder(async (dataDir, events, kinds) => {
    mkdirSync(join(dataDir, 'holders'));
    writeFileSync(join(dataDir, 'holders', '999999-1'), '999999 1');
    writeFileSync(join(dataDir, 'lock'), '999999 1');
    mkdirSync(join(dataDir, 'postgres', 'data.new'), { recursive: true });
    const server = await acquireEmbedded({ dataDir, emit: (event) => void events.push(event) });
    await server.release();
    expect(kinds().at(-1)).toBe('postgres-stopped');
  }));

test('another version’s data is refused, and left alone', () =>
  withFolder(async (dataDir) => {
    const emit = (): void => undefined;
    await (await acquireEmbedded({ dataDir, emit })).release();
    const { folder } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { folder: string };
    const version = join(folder, 'data', 'PG_VERSION');
    writeFileSync(version, '12\n');
    await expect(acquireEmbedded({ dataDir, emit })).rejects.toMatchObject({ code: 'postgres_version' });
    expect(readFileSync(version, 'utf8')).toBe('12\n');
    expect(readdirSync(join(dataDir, 'holders'))).toEqual([]);
  }));

test('a file in the folder’s place, and a package that is not there, are said plainly', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const emit = (): void => undefined;
    await expect(acquireEmbedded({ dataDir: join(folder, 'file'), emit })).rejects.toMatchObject({
      code: 'data_folder',
    });
    await expect(
      acquireEmbedded({ dataDir: folder, emit, packageName: 'no-such-package' }),
    ).rejects.toMatchObject({ code: 'postgres_unsupported' });
  }));

test('missing library links are made, those that are there are left', () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'lib'));
    writeFileSync(join(folder, 'lib', 'libx.so.1.2'), '');
    const links = ['libx.so', 'libx.so.1'].map((target) => ({
      source: 'native/lib/libx.so.1.2',
      target: `native/lib/${target}`,
    }));
    writeFileSync(join(folder, 'pg-symlinks.json'), JSON.stringify(links));
    makeLinks(folder);
    makeLinks(folder);
    for (const name of ['libx.so', 'libx.so.1'])
      expect(lstatSync(join(folder, 'lib', name)).isSymbolicLink()).toBe(true);
    expect(existsSync(join(folder, 'lib', 'libx.so'))).toBe(true);
  }));
