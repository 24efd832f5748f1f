/** Reading and loading apart, behind the proxy: who gets what, and what a client notices when a process dies. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answers, readmeQuestion, root, until } from '../acceptance/support.js';
import { docker, must, Project } from './support.js';

let project: Project;
let authorization: string;

beforeAll(async () => {
  project = await Project.named({ COMPOSE_FILE: 'compose.yaml:compose.roles.yaml' });
  await project.up();
  authorization = `Bearer ${must(await project.short(['key']))}`;
});
afterAll(() => project.remove());

const header = 'orig_code,dest_code,day,price\n';
const item = 'CNGGZ,EETLL,2031-05-01,1200\n';

/** As a client of the proxy, with the first API key. */
const send = (method: string, path: string, body?: BodyInit, type = 'text/csv'): Promise<Response> =>
  fetch(project.url + path, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
    signal: AbortSignal.timeout(60_000),
  });

/** Requests that a container answered, `METHOD route`, once each. */
async function answered(service: string, index = 1): Promise<Set<string>> {
  const { stdout, stderr } = await docker(['logs', `${project.name}-${service}-${index}`]);
  const lines = (stdout + stderr).split('\n').filter((line) => line.includes('"event":"request"'));
  return new Set(
    lines.map((line) => {
      const { method, route } = JSON.parse(line) as { method: string; route: string };
      return `${method} ${route}`;
    }),
  );
}

/** Asks without a pause, four at a time, until told to stop; nothing but the right answer will do. */
function askAllTheTime(): { stop(): Promise<{ right: number; wrong: string[] }> } {
  const state = { going: true };
  const result = { right: 0, wrong: [] as string[] };
  const ask = async (): Promise<void> => {
    while (state.going) {
      const answer = await fetch(project.url + readmeQuestion)
        .then(async (response) => `${response.status} ${await response.text()}`)
        .catch((error: unknown) => `failed: ${String(error)}`);
      if (answer.startsWith('200 {"rates":[{"count":3,"day":"2021-01-31"')) result.right++;
      else result.wrong.push(answer.slice(0, 200));
    }
  };
  const all = Promise.all([ask(), ask(), ask(), ask()]);
  return {
    stop: async () => {
      state.going = false;
      await all;
      return result;
    },
  };
}

test('questions go to the readers, both of them; batches and changes to the one that loads', async () => {
  const batch = (await (await send('POST', '/batches', header + item.repeat(3))).json()) as {
    id: string;
    state: string;
    revision: number;
  };
  expect(batch.state).toBe('published');
  const question = '/rates?date_from=2031-05-01&date_to=2031-05-01&origin=CNGGZ&destination=EETLL';
  for (let times = 0; times < 20; times++) {
    const answer = await send('GET', `${question}&min_revision=${batch.revision}`);
    expect(await answer.json()).toEqual({ rates: [{ count: 3, day: '2031-05-01', price: 1200 }] });
  }
  const many = JSON.stringify({
    questions: [{ origin: 'CNGGZ', destination: 'EETLL', date_from: '2031-05-01', date_to: '2031-05-01' }],
  });
  expect((await send('POST', '/rates/query', many, 'application/json')).status).toBe(200);
  const place = JSON.stringify({ name: 'Of the test', parent: null });
  expect((await send('PUT', '/regions/of-the-test', place, 'application/json')).status).toBe(201);
  expect((await send('GET', '/batches?limit=1')).status).toBe(200);
  expect((await send('GET', `/batches/${batch.id}`)).status).toBe(200);
  expect((await send('DELETE', `/batches/${batch.id}`)).status).toBe(200);
  for (const path of ['/', '/docs', '/ports?limit=1', '/regions/of-the-test', '/metrics', '/health/ready'])
    expect((await send('GET', path)).status, path).toBe(200);
  expect((await send('POST', '/batchesX')).status).toBe(404);

  const loaded = await answered('service');
  for (const request of ['POST /batches', 'GET /batches', 'GET /batches/:id', 'DELETE /batches/:id'])
    expect(loaded).toContain(request);
  expect(loaded).toContain('PUT /regions/:slug');
  expect([...loaded].filter((request) => /^GET \/(rates|ports|regions|docs|$)/.test(request))).toEqual([]);
  for (const index of [1, 2]) {
    const asked = await answered('read', index);
    expect(asked).toContain('GET /rates');
    expect(
      [...asked].filter(
        (request) => !/^(GET |POST \/rates\/query)/.test(request) || request.includes('batches'),
      ),
    ).toEqual([]);
  }
});

test('a body is passed on as it comes: its batch is being loaded before it has ended', async () => {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(Buffer.from(header + item));
      await ended;
      controller.enqueue(Buffer.from(item));
      controller.close();
    },
  });
  const verdict = send('POST', '/batches', body);
  const loading = async (): Promise<boolean> => {
    const listed = await send('GET', '/batches?state=loading');
    return ((await listed.json()) as { batches: unknown[] }).batches.length === 1;
  };
  await until(loading, 20_000, 'the batch is being loaded');
  end();
  expect(await (await verdict).json()).toMatchObject({ state: 'published', items: 2 });
});

test('a reader’s main process killed from the host, four times while reading: no question fails', async () => {
  const load = askAllTheTime();
  for (const index of [1, 2, 1, 2]) {
    await project.crash('read', index);
    await until(() => project.healthy('read', index), 60_000, `reader ${index} is healthy again`);
  }
  const { right, wrong } = await load.stop();
  expect(wrong).toEqual([]);
  expect(right).toBeGreaterThan(100);
});

test('without the process that loads questions are answered, and a batch is told to come again', async () => {
  must(await project.compose(['stop', 'service']));
  const load = askAllTheTime();
  const refused = await send('POST', '/batches', header + item);
  expect(refused.status).toBe(503);
  must(await project.compose(['start', 'service']));
  await until(
    async () => (await send('GET', '/batches?limit=1')).status === 200,
    60_000,
    'it takes batches again',
  );
  expect(await load.stop()).toMatchObject({ wrong: [] });
  expect(await answers(project.url)).toBe(true);
});

test('the containers are held in, only the proxy is published, and HAProxy has nothing to say against its file', async () => {
  for (const [service, index] of [
    ['proxy', 1],
    ['read', 1],
    ['read', 2],
    ['service', 1],
  ] as const) {
    const { HostConfig: host, Mounts: mounts } = await project.inspect(service, index);
    expect(host, service).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] });
    for (const limit of [host.Memory, host.NanoCpus, host.PidsLimit])
      expect(limit, service).toBeGreaterThan(0);
    expect(Object.keys(host.PortBindings ?? {}), service).toEqual(service === 'proxy' ? ['3000/tcp'] : []);
    expect(
      mounts.some(({ Destination }) => Destination.includes('admin')),
      service,
    ).toBe(false);
  }
  const check = ['exec', '-T', 'proxy', 'haproxy', '-c', '-f', '/usr/local/etc/haproxy/haproxy.cfg'];
  const { code, stdout, stderr } = await project.compose(check);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout + stderr).not.toMatch(/WARNING|ALERT/);
  expect(readFileSync(join(root, 'deploy', 'haproxy.cfg'), 'utf8')).not.toContain('http-buffer-request');
});
