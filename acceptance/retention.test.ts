/** Retention and the disk, as the program wires them from its settings. */
import { expect, test } from 'vitest';
import { interrupt, readmeQuestion, run, start, until, withFolder } from './support.js';

const header = 'orig_code,dest_code,day,price\n';
const post = (url: string): Promise<Response> =>
  fetch(`${url}/batches`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: `${header}CNGGZ,EETLL,2021-05-01,1188\n`,
  });
const metric = async (url: string, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};

test('a reserve above what is free refuses batches and nothing else; kept for no time, what is withdrawn goes', () =>
  withFolder(async (data) => {
    const full = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_DISK_RESERVE_MB: '99999999' });
    const refused = await post(full.url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([507, '60']);
    expect((await fetch(full.url + readmeQuestion)).status).toBe(200);
    expect((await fetch(`${full.url}/health/ready`)).status).toBe(200);
    expect(await metric(full.url, 'fairway_disk_free_bytes')).toBeLessThan(
      await metric(full.url, 'fairway_disk_reserve_bytes'),
    );
    const words = ['submit', '-', '--patience', '1'];
    const item = `${header}CNGGZ,EETLL,2021-05-01,1188\n`;
    expect(await run(words, { FAIRWAY_URL: full.url }, item)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('MB must stay free') as string,
    });
    await interrupt(full);
    const roomy = await start({ FAIRWAY_DATA_DIR: data });
    const { id } = (await (await post(roomy.url)).json()) as { id: string };
    expect((await fetch(`${roomy.url}/batches/${id}`, { method: 'DELETE' })).status).toBe(200);
    await interrupt(roomy);
    const brief = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_HISTORY_DAYS: '0' });
    await until(
      async () => (await metric(brief.url, 'fairway_purged_items_total')) === 1,
      120_000,
      'the withdrawn batch is purged',
    );
    const batch = (await (await fetch(`${brief.url}/batches/${id}`)).json()) as Record<string, unknown>;
    expect(batch).toMatchObject({ state: 'withdrawn', purged_at: expect.stringMatching(/^20/) as string });
    await interrupt(brief);
  }));

test('a folder of the disk that is not there stops the start with its name', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data, FAIRWAY_DISK_PATH: '/no/such/folder' };
    expect(await run(['up'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('FAIRWAY_DISK_PATH: /no/such/folder') as string,
    });
  }));
