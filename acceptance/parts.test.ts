/** Batches in parts, as the program wires them from its settings, over two processes and a restart. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { interrupt, start, until, withFolder } from './support.js';

const json = { 'content-type': 'application/json' };
const header = 'orig_code,dest_code,day,price\n';
const item = 'CNGGZ,EETLL,2021-05-01,1188\n';

const open = async (url: string): Promise<{ id: string; expires_at: string }> =>
  (await (
    await fetch(`${url}/batches`, { method: 'POST', headers: json, body: '{"parts":true}' })
  ).json()) as { id: string; expires_at: string };

const put = (url: string, id: string, part: number, body: string): Promise<Response> =>
  fetch(`${url}/batches/${id}/parts/${part}`, {
    method: 'PUT',
    headers: {
      'content-type': 'text/csv',
      'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
    },
    body,
  });

test('parts go to any process, outlive them, and are published by another', () =>
  withFolder(async (data) => {
    const first = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_PART_MB: '1' });
    const second = await start({ FAIRWAY_DATA_DIR: data });
    const { id } = await open(first.url);
    expect((await put(first.url, id, 1, header + item.repeat(40_000))).status).toBe(413);
    expect((await put(second.url, id, 1, header + item.repeat(40_000))).status).toBe(201);
    expect((await put(first.url, id, 2, header + item.repeat(3))).status).toBe(201);
    expect(await Promise.all([first, second].map(interrupt))).toEqual([0, 0]);
    const third = await start({ FAIRWAY_DATA_DIR: data });
    const published = await fetch(`${third.url}/batches/${id}/publish`, {
      method: 'POST',
      headers: json,
      body: '{"parts":2,"items":40003}',
    });
    expect(await published.json()).toMatchObject({ state: 'published', items: 40_003, lanes: 1 });
    await interrupt(third);
  }));

test('an open batch expires after FAIRWAY_UNFINISHED_HOURS', () =>
  withFolder(async (data) => {
    const brief = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_UNFINISHED_HOURS: '0.0003' });
    const { id, expires_at: expires } = await open(brief.url);
    expect(Date.parse(expires) - Date.now()).toBeLessThan(2_000);
    await interrupt(brief);
    await until(async () => Date.now() > Date.parse(expires), 10_000, 'the batch has expired');
    const next = await start({ FAIRWAY_DATA_DIR: data });
    await until(
      async () => (await fetch(`${next.url}/batches/${id}`)).status === 404,
      120_000,
      'the batch is removed',
    );
    await interrupt(next);
  }));
