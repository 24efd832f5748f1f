/** Rollups that are behind, as the program bounds them by its setting: over processes, and until somebody rolls up again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { interrupt, start, until, withFolder } from './support.js';

const batch = 'orig_code,dest_code,day,price\nCNGGZ,EETLL,2021-05-01,1188\n';
const post = (url: string): Promise<Response> =>
  fetch(`${url}/batches`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: batch });
const waiting = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^fairway_rollup_debt_batches (\S+)$/m.exec(text)?.[1]);
};

/** Nobody rolls up until what is returned is called. */
async function holdRoller(data: string): Promise<() => Promise<void>> {
  const { host, port, user, password, database } = JSON.parse(
    readFileSync(join(data, 'postgres.json'), 'utf8'),
  ) as Record<string, string> & { port: number };
  const holder = new pg.Client({ host, port, user, password, database });
  holder.on('error', () => undefined);
  await holder.connect();
  // The lock of docs/decisions/0003-rollups.md.
  await holder.query('select pg_advisory_lock($1)', [0x726f6c6c]);
  return () => holder.end();
}

test('a batch that waits in one process keeps the next out of another; both go on once the rollups do', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data, FAIRWAY_ROLLUP_DEBT: '1' };
    const first = await start(env);
    const second = await start({ ...env, FAIRWAY_ROLE: 'ingest' }, ['serve']);
    const reader = await start({ ...env, FAIRWAY_ROLE: 'read' }, ['serve']);
    await until(async () => (await waiting(first.url)) === 0, 60_000, 'the sample is rolled up');
    const release = await holdRoller(data);
    expect((await post(first.url)).status).toBe(201);
    await until(async () => (await waiting(reader.url)) === 1, 60_000, 'the batch waits');
    const refused = await post(second.url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await refused.json()).toMatchObject({ code: 'rollups_behind', debt_batches: 1, debt_items: 1 });
    await release();
    await until(async () => (await post(second.url)).status === 201, 60_000, 'the next batch is taken');
    for (const running of [reader, second, first]) await interrupt(running);
  }));
