import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import {
  answers,
  clusterFolder,
  interrupt,
  readmeQuestion,
  root,
  run,
  serversOf,
  shared,
  start,
  until,
  withFolder,
} from './support.js';

const readmeAnswer = /^\{"rates":\[\{"count":3,"day":"2021-01-31","price":([0-9.]+)\}/m;

test('fairway up answers the README’s question with the README’s answer; Ctrl-C stops everything', () =>
  withFolder(async (data) => {
    const first = await start({ FAIRWAY_DATA_DIR: data });
    const body = await (await fetch(first.url + readmeQuestion)).text();
    expect(readmeAnswer.exec(body)?.[0]).toBe(
      readmeAnswer.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[0],
    );
    expect(serversOf(data)).toHaveLength(1);
    expect(await interrupt(first)).toBe(0);
    expect(serversOf(data)).toEqual([]);
    expect(statSync(join(data, 'postgres.json')).mode & 0o777).toBe(0o600);
    const again = await start({ FAIRWAY_DATA_DIR: data });
    expect(again.output()).not.toContain('"event":"seeded"');
    expect(await answers(again.url)).toBe(true);
    expect(await interrupt(again)).toBe(0);
    expect(serversOf(data)).toEqual([]);
  }));

test('a data folder its server’s user cannot enter works all the same', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    expect(await answers(running.url)).toBe(true);
    expect(await interrupt(running)).toBe(0);
    const again = await start({ FAIRWAY_DATA_DIR: data });
    expect(again.output()).not.toContain('"event":"seeded"');
    expect(await interrupt(again)).toBe(0);
    if (process.getuid?.() === 0) expect(clusterFolder(data)).toMatch(/^\/var\/lib\/fairway\//);
  }, 0o700));

test('two copies side by side do not disturb each other', () =>
  withFolder((one) =>
    withFolder(async (two) => {
      const [first, second] = await Promise.all([
        start({ FAIRWAY_DATA_DIR: one }),
        start({ FAIRWAY_DATA_DIR: two, FAIRWAY_SEED: 'none' }),
      ]);
      expect(await answers(first.url)).toBe(true);
      expect(await answers(second.url)).toBe(false);
      expect(await interrupt(second)).toBe(0);
      expect(await answers(first.url)).toBe(true);
      expect(await interrupt(first)).toBe(0);
      expect([...serversOf(one), ...serversOf(two)]).toEqual([]);
    }),
  ));

test('a port that is taken is said plainly, and nothing stays behind', () =>
  withFolder((one) =>
    withFolder(async (two) => {
      const first = await start({ FAIRWAY_DATA_DIR: one });
      const port = new URL(first.url).port;
      const second = await run(['up'], { FAIRWAY_DATA_DIR: two, FAIRWAY_PORT: port });
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`fairway: port ${port} on 127.0.0.1 is taken by another program`);
      expect(serversOf(two)).toEqual([]);
      expect(await interrupt(first)).toBe(0);
    }),
  ));

test('beside a running service, import uses its database; the last to leave stops it', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const sample = await run(['sample', '--items', '2000', '--seed', '9', '--format', 'dump']);
    const running = await start(env);
    const imported = await run(['import', '-', '--json'], env, sample.stdout);
    expect(imported.stderr).toBe('');
    expect(JSON.parse(imported.stdout)).toMatchObject({
      outcome: 'published',
      items: 2000,
      revision: 2,
      withdrawn: 1,
    });
    expect((await fetch(running.url + readmeQuestion)).headers.get('rates-revision')).toBe('2');
    expect(await interrupt(running)).toBe(0);
    // Without a service the same command starts the database for its own duration.
    const again = await run(['import', '-'], env, sample.stdout);
    expect(again).toMatchObject({
      code: 0,
      stdout: '- is what is published already (revision 2); nothing changed\n',
    });
    const other = await run(['sample', '--items', '3000', '--format', 'dump']);
    expect(await run(['import', '-'], env, other.stdout)).toMatchObject({ code: 3, stdout: '' });
    expect(await run(['import', '-', '--replace'], env, other.stdout)).toMatchObject({ code: 0 });
    expect(serversOf(data)).toEqual([]);
  }));

test('every recorded answer comes over the wire after the real dump was imported', async () => {
  if (!existsSync(join(shared, 'contract'))) return expect(process.env['CI']).toBeUndefined();
  await withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const running = await start(env);
    const imported = await run(['import', join(shared, 'seed', 'rates.sql')], env);
    expect(imported.stdout).toMatch(
      /^published 56,689 prices on 725 lanes, 143 ports, 20 regions as revision 2; 1 earlier batch withdrawn\n$/,
    );
    for (const line of readFileSync(join(shared, 'contract', 'recorded.ndjson'), 'utf8')
      .trim()
      .split('\n')) {
      const { path, status, body } = JSON.parse(line) as { path: string; status: number; body: unknown };
      const answer = await fetch(running.url + path);
      expect(answer.status, path).toBe(status === 500 ? 400 : status);
      const text = await answer.text();
      if (status === 200) expect(JSON.parse(text), path).toEqual(body);
    }
    expect(await interrupt(running)).toBe(0);
  });
});

test('a database that was named is used, and none is embedded', () =>
  withFolder(async (data) => {
    const { host, port, user, password } = inject('server');
    const admin = new Client({ host, port, user, password, database: 'postgres' });
    await admin.connect();
    const name = `named_${process.pid}`;
    await admin.query(`create database ${name}`);
    try {
      const byUrl = {
        FAIRWAY_DATA_DIR: data,
        DATABASE_URL: `postgresql://${user}:${password}@${host}:${port}/${name}`,
      };
      expect(await run(['serve'], { ...byUrl, FAIRWAY_PORT: '0' })).toMatchObject({ code: 1, stdout: '' });
      const running = await start(byUrl);
      expect(await answers(running.url)).toBe(true);
      expect(await interrupt(running)).toBe(0);
      const byVariables = {
        PGHOSTADDR: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: name,
      };
      const serving = await start({ FAIRWAY_DATA_DIR: data, ...byVariables }, ['serve']);
      expect(await answers(serving.url)).toBe(true);
      expect(await interrupt(serving)).toBe(0);
      expect(existsSync(join(data, 'postgres.json'))).toBe(false);
    } finally {
      await until(
        async () =>
          (await admin.query('select from pg_stat_activity where datname = $1', [name])).rowCount === 0,
        5_000,
        'its connections end',
      );
      await admin.query(`drop database ${name}`);
      await admin.end();
    }
  }));
