/** One project on PostgreSQL 13.5 with the real dump, from the first start to the last trace. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type DatabaseError } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readmeQuestion, shared, until, type Outcome } from '../acceptance/support.js';
import { commandsBelow, docker, must, Project } from './support.js';

let project: Project;
let postgresPassword: string;

beforeAll(async () => {
  project = await Project.named({ POSTGRES_VERSION: '13.5', FAIRWAY_IMAGE: '' });
  const up = await project.short(['up'], { FAIRWAY_SEED: join(shared, 'seed', 'rates.sql') });
  if (up.code !== 0)
    throw new Error(`${up.stderr}\n${(await project.compose(['logs', '--no-color'])).stdout}`);
  postgresPassword = must(await project.short(['password']));
});
afterAll(async () => {
  await project.remove();
  must(await docker(['rmi', '--force', `${project.name}-service`]));
});

const servicePassword = async (): Promise<string> =>
  must(await project.compose(['exec', '-T', 'service', 'cat', '/run/fairway/service/password']));

const revision = async (): Promise<string | null> =>
  (await fetch(project.url + readmeQuestion)).headers.get('rates-revision');

/** The README's answer, and not a sample's. */
async function answers(): Promise<boolean> {
  try {
    const response = await fetch(project.url + readmeQuestion, { signal: AbortSignal.timeout(2_000) });
    return (
      response.ok &&
      (await response.text()).includes('{"count":3,"day":"2021-01-31","price":1154.3333333333333}')
    );
  } catch {
    return false;
  }
}

async function connected<Result>(
  user: string,
  password: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    host: '127.0.0.1',
    port: project.postgresPort,
    user,
    password,
    database: 'rates',
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The README's psql, which the host need not have: here it comes out of an image. */
async function alive(command: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-psql-'));
  const passed = '--env PGPASSWORD --env PGPORT';
  const psql = `exec docker run --rm --network host ${passed} --entrypoint psql postgres:13.5 "$@"`;
  writeFileSync(join(folder, 'psql'), `#!/bin/sh\n${psql}\n`, { mode: 0o755 });
  try {
    return await project.shell(command, {
      PATH: `${folder}:${process.env['PATH']}`,
      PGPORT: String(project.postgresPort),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('it answers the README’s question, and every recorded one', async () => {
  expect(await answers()).toBe(true);
  for (const page of ['/', '/docs', '/openapi.json'])
    expect((await fetch(project.url + page)).status).toBe(200);
  const lines = readFileSync(join(shared, 'contract', 'recorded.ndjson'), 'utf8')
    .trim()
    .split('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    const { path, status, body } = JSON.parse(line) as { path: string; status: number; body: unknown };
    const answer = await fetch(project.url + path);
    expect(answer.status, path).toBe(status === 500 ? 400 : status);
    const text = await answer.text();
    if (status === 200) expect(JSON.parse(text), path).toEqual(body);
  }
});

test('the database is alive for psql with the password that was made, and for nobody without', async () => {
  const command = commandsBelow('README.md', 'In containers', 1);
  expect(command).toContain(`psql -h localhost -U postgres -c "SELECT 'alive'"`);
  expect(must(await alive(command))).toBe(' ?column? \n----------\n alive\n(1 row)');
  const refused = await alive(command.replace(/PGPASSWORD=\S*\(.*?\)/, 'PGPASSWORD=guessed'));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('password authentication failed');
  expect(
    must(
      await project.short([
        'psql',
        '-Atc',
        "select 'alive', current_setting('server_version_num')::int / 10000",
      ]),
    ),
  ).toBe('alive|13');
});

test('no password is in an environment variable, a label, a command or a log', async () => {
  const secrets = [postgresPassword, await servicePassword()];
  for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
  const ids = must(await project.compose(['ps', '--all', '--quiet'])).split('\n');
  expect(ids).toHaveLength(4);
  const seen = [
    must(await docker(['inspect', ...ids])),
    must(await project.compose(['logs', '--no-color'])),
    must(await project.compose(['config'])),
  ];
  for (const text of seen) for (const secret of secrets) expect(text.includes(secret)).toBe(false);
});

test('each container is held in: limits, restart policy, read-only, no rights but the named', async () => {
  for (const service of ['secrets', 'postgres', 'migrate', 'service']) {
    const { Name, HostConfig: host, Mounts: mounts } = await project.inspect(service);
    expect(Name).toBe(`/${project.name}-${service}-1`);
    expect(host, service).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] });
    expect(host.SecurityOpt, service).toContain('no-new-privileges:true');
    for (const limit of [host.Memory, host.NanoCpus, host.PidsLimit])
      expect(limit, service).toBeGreaterThan(0);
    // One without a name would be left behind.
    const volumes = mounts.filter(({ Type }) => Type === 'volume').map((mount) => mount.Name?.split('_')[0]);
    expect(new Set(volumes), service).toEqual(new Set([project.name]));
    const once = service === 'secrets' || service === 'migrate';
    expect(host.RestartPolicy.Name, service).toBe(once ? 'no' : 'unless-stopped');
    for (const { HostIp } of Object.values(host.PortBindings).flat()) expect(HostIp).toBe('127.0.0.1');
  }
  const { Config: config, State: state } = await project.inspect('service');
  expect(config.User).toBe('1000:1000');
  expect(config.Healthcheck?.Test.at(-1)).toBe('ready');
  expect(state.Health?.Status).toBe('healthy');
  const inService = (script: string) => project.compose(['exec', '-T', 'service', 'sh', '-c', script]);
  expect(must(await inService('id -u; ls /run/fairway'))).toBe('1000\nservice');
  for (const place of ['/app/x', '/x', '/run/fairway/service/x']) {
    expect((await inService(`touch ${place}`)).code, place).not.toBe(0);
  }
});

test('the service’s role can read, and can neither make nor change nor drop a table', async () => {
  const users = "select distinct usename from pg_stat_activity where application_name = 'fairway'";
  expect(must(await project.short(['psql', '-Atc', users]))).toBe('fairway_service');
  await connected('fairway_service', await servicePassword(), async (client) => {
    const { rows } = await client.query<{ items: string }>('select count(*) as items from fairway.items');
    expect(rows[0]?.items).toBe('56689');
    for (const statement of [
      'create table public.mine (a integer)',
      'create table fairway.mine (a integer)',
      'create schema mine',
      'drop table fairway.segments',
      'alter table fairway.batches add column mine integer',
      'truncate fairway.segments',
      'create role mine',
      "copy fairway.head to program 'id'",
    ]) {
      const outcome = client.query(statement).catch((error: DatabaseError) => error.code);
      expect(await outcome, statement).toBe('42501');
    }
  });
});

test('a second seed changes nothing; a restart of everything keeps data, passwords and revision', async () => {
  const before = { revision: await revision(), password: await servicePassword() };
  expect(must(await project.compose(['run', '--rm', 'migrate']))).not.toContain('loaded');
  expect(await revision()).toBe(before.revision);
  must(await project.compose(['stop']));
  for (const service of ['service', 'postgres']) {
    expect((await project.inspect(service)).State.ExitCode, service).toBe(0);
  }
  must(await project.short(['down']));
  await project.up();
  expect(await answers()).toBe(true);
  expect({ revision: await revision(), password: await servicePassword() }).toEqual(before);
  expect(must(await project.short(['password']))).toBe(postgresPassword);
});

test('the database’s main process killed from the host: it comes back, and the service with it, by itself', async () => {
  const before = await project.inspect('service');
  await project.crash('postgres');
  await until(answers, 30_000, 'it answers again');
  await until(() => project.healthy('postgres'), 30_000, 'postgres is healthy');
  const after = await project.inspect('service');
  expect([after.State.StartedAt, after.RestartCount]).toEqual([before.State.StartedAt, before.RestartCount]);
});

test('the service’s main process killed from the host: it is started again', async () => {
  await project.crash('service');
  await until(() => project.healthy('service'), 30_000, 'it is healthy');
  expect(await answers()).toBe(true);
});

test('while the database is away the service is not healthy, and is when it is back', async () => {
  must(await project.compose(['stop', 'postgres']));
  await until(async () => !(await project.healthy('service')), 60_000, 'it is unhealthy');
  expect((await fetch(`${project.url}/health/live`)).status).toBe(200);
  const ready = await fetch(`${project.url}/health/ready`);
  expect([ready.status, ready.headers.get('content-type')?.split(';')[0]]).toEqual([
    503,
    'application/problem+json',
  ]);
  must(await project.compose(['start', 'postgres']));
  await until(() => project.healthy('service'), 60_000, 'it is healthy again');
  expect(await answers()).toBe(true);
});

test('the service gets a new password by the documented commands', async () => {
  const old = await servicePassword();
  must(await project.shell(commandsBelow('docs/operations.md', 'A new password for the service')));
  await until(answers, 30_000, 'it answers again');
  const fresh = await servicePassword();
  expect(fresh).not.toBe(old);
  await expect(connected('fairway_service', old, () => Promise.resolve())).rejects.toMatchObject({
    code: '28P01',
  });
  await connected('fairway_service', fresh, () => Promise.resolve());
});

test('the first API key is made once, kept, and lets its bearer write', async () => {
  const key = must(await project.short(['key']));
  const put = (headers: Record<string, string>) =>
    fetch(`${project.url}/regions/of-the-test`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'Of the test', parent: null }),
    });
  expect((await put({})).status).toBe(401);
  expect((await put({ authorization: `Bearer ${key}` })).status).toBe(201);
  must(await project.compose(['run', '--rm', 'migrate']));
  expect(must(await project.short(['key']))).toBe(key);
  expect(must(await project.compose(['logs', '--no-color']))).not.toContain(key);
});

test('down -v leaves nothing', async () => {
  expect((await project.remains()).length).toBeGreaterThanOrEqual(8);
  must(await project.short(['down', '-v']));
  expect(await project.remains()).toEqual([]);
  // The image stays, under its name; builds that only left one without a name would fill the disk.
  const label = `label=com.docker.compose.project=${project.name}`;
  const images = must(await docker(['images', '--format', '{{.Repository}}', '--filter', label]));
  expect(images).toBe(`${project.name}-service`);
});
