/** The disk nearly full: no batch is taken, everything else goes on. The reserve is set above what is really free. */
import { createHash } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { FairwayEvent } from '../../src/events.js';
import { collect } from '../../src/ingest/collect.js';
import {
  checkFolder,
  Disk,
  leastRoom,
  roomBelow,
  roomOnDiskOf,
  type MeasureRoom,
} from '../../src/ingest/retention/disk.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { rollUp } from '../../src/query/roll-up.js';
import { csv, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { digestOf, giveUp, list, open, opened, publish, put } from '../support/parts.js';
import { withDatabase } from '../support/database.js';
import { begin, items, none, orphans, until } from '../support/uploads.js';

const ignore = (): void => undefined;
const { bsize, blocks } = statfsSync(tmpdir());
/** More than is free, and than will be. */
const everything = blocks * bsize + 2 ** 30;
const disk = (reserveBytes: number, measure: MeasureRoom = roomOnDiskOf(tmpdir())): Disk =>
  new Disk({ measure, reserveBytes, emit: ignore });

/** A disk that can be filled while a test runs. */
function fillable(): { disk: { check: () => Promise<void> }; fill: () => void; empty: () => void } {
  const [full, roomy] = [disk(everything), disk(1)];
  let now = roomy;
  return {
    disk: { check: () => now.check() },
    fill: () => void (now = full),
    empty: () => void (now = roomy),
  };
}

const question = '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB';
const status = async ({ server }: BatchTest, url: string): Promise<number> =>
  (await server.inject({ url })).statusCode;

test('with the disk nearly full no part is taken and no batch in parts opened; what arrived stays', () => {
  const { disk, fill, empty } = fillable();
  return withBatches(
    async ({ server }) => {
      const open = () => server.inject({ method: 'POST', url: '/batches', payload: { parts: true } });
      const { id } = (await open()).json<{ id: string }>();
      const put = async (part: number): Promise<number> => {
        const payload = csv(itemsOf(3 + part));
        const digest = createHash('sha256').update(payload).digest('base64');
        const headers = { 'content-type': 'text/csv', 'content-digest': `sha-256=:${digest}:` };
        const answer = await server.inject({
          method: 'PUT',
          url: `/batches/${id}/parts/${part}`,
          payload,
          headers,
        });
        return answer.statusCode;
      };
      expect(await put(1)).toBe(201);
      fill();
      expect((await open()).statusCode).toBe(507);
      expect([await put(1), await put(2)]).toEqual([200, 507]);
      empty();
      expect(await put(2)).toBe(201);
    },
    { disk },
  );
});

test('a load is refused with 507 that says how much is left; repeats, trials, reads, withdrawals and purges go on', () => {
  const { disk, fill, empty } = fillable();
  return withBatches(
    async (test) => {
      const good = csv(itemsOf(3));
      const { id } = (await test.post(good, { key: 'k' })).json<{ id: string }>();
      fill();
      const refused = await test.post(csv(itemsOf(4)), { key: 'l' });
      expect(refused.statusCode).toBe(507);
      expect(refused.headers['retry-after']).toBe('60');
      expect(refused.json()).toMatchObject({
        code: 'disk_nearly_full',
        detail: expect.stringMatching(
          /^the database has \d+ MB left of its disk, and \d+ MB must stay free/,
        ) as string,
        free_bytes: expect.any(Number) as number,
        reserve_bytes: everything,
      });
      // Refused before anything was claimed that had to be given up.
      expect(test.events.map(({ kind }) => kind)).not.toContain('batch-abandoned');
      expect(await test.query("select from fairway.batches where idempotency_key = 'l'")).toEqual([]);
      expect((await test.post(good, { key: 'k' })).statusCode).toBe(200);
      expect((await test.post(csv(itemsOf(4)), { query: '?dry_run=true' })).statusCode).toBe(200);
      for (const url of [question, '/health/ready', `/batches/${id}`])
        expect(await status(test, url)).toBe(200);
      const withdrawn = await test.server.inject({ method: 'DELETE', url: `/batches/${id}` });
      expect(withdrawn.json()).toMatchObject({ state: 'withdrawn' });
      await rollUp(test.database, test.emit);
      await purge(test.database, { historyDays: 0, rejectedDays: 0 }, test.emit);
      expect(await test.query('select from fairway.segments')).toEqual([]);
      empty();
      expect((await test.post(csv(itemsOf(4)), { key: 'l' })).statusCode).toBe(201);
    },
    { disk },
  );
});

test('a load under way stops at its next part and leaves nothing; its key is good once there is room', () => {
  const { disk, fill, empty } = fillable();
  return withBatches(
    async (test) => {
      const { body, answer } = begin(test, 'k');
      body.write('AAAAA,BBBBB,2022-01-01,1\n'.repeat(6));
      await until(async () => (await test.query('select from fairway.segments')).length > 0);
      fill();
      body.end('AAAAA,BBBBB,2022-01-01,1\n'.repeat(6));
      const { statusCode } = await answer;
      expect(statusCode).toBe(507);
      expect(await orphans(test)).toEqual(none);
      expect(await collect(test.database, test.emit)).toBe(0);
      expect(await items(test)).toBe(0);
      empty();
      expect((await test.post(csv(itemsOf(9)), { key: 'k' })).statusCode).toBe(201);
      expect(await items(test)).toBe(9);
    },
    { itemsPerPart: 2, disk },
  );
});

test('nothing is opened and no part stored; what is there is published, and given up', () => {
  const { disk, fill, empty } = fillable();
  return withBatches(
    async (test) => {
      const [id, other] = [await opened(test, 'k'), await opened(test)];
      await put(test, id, 1, csv(itemsOf(3)));
      fill();
      const answers = [await open(test), await put(test, id, 2, csv(itemsOf(3)))];
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([507, 507]);
      expect((await open(test, { key: 'k' })).json()).toMatchObject({ id });
      expect((await put(test, id, 1, csv(itemsOf(3)))).statusCode).toBe(200);
      expect((await giveUp(test, other)).statusCode).toBe(200);
      expect((await publish(test, id, 1, 3)).json()).toMatchObject({ state: 'published', items: 3 });
      empty();
      const late = await opened(test);
      const body = new PassThrough();
      const whole = csv(itemsOf(9));
      const answer = put(test, late, 1, body, { 'content-digest': digestOf(whole) });
      body.write(whole.slice(0, -30));
      const reading = (event: FairwayEvent): boolean =>
        event.kind === 'statement-read' && event.statement === 'ports-now';
      await until(async () => test.events.filter(reading).length === 2);
      fill();
      body.end(whole.slice(-30));
      expect((await answer).statusCode).toBe(507);
      expect((await list(test, late)).json()).toMatchObject({ parts: [] });
    },
    { disk },
  );
});

test('what may be taken up bounds a database whose disk cannot be seen; the least room counts', () =>
  withDatabase(async ({ database }) => {
    const wal = 2 ** 30;
    const [found] = await database.read<{ size: number }>({
      text: 'select pg_database_size(current_database())::float8 as size',
    });
    const below = roomBelow(database, (found?.size ?? 0) + wal + 2 ** 28);
    const room = await below();
    expect(room?.free).toBeGreaterThan(2 ** 27);
    expect(room?.free).toBeLessThanOrEqual(2 ** 28);
    await disk(2 ** 27, below).check();
    await expect(disk(2 ** 29, below).check()).rejects.toMatchObject({ code: 'disk_nearly_full' });
    const least = leastRoom([roomOnDiskOf(tmpdir()), below, () => Promise.reject(new Error('odd'))]);
    expect((await least())?.free).toBeLessThanOrEqual(2 ** 28);
  }));

test('what is not known refuses nobody, nor does a reserve of nothing; a folder must be there at the start', async () => {
  await disk(everything, leastRoom([])).check();
  await disk(everything, roomOnDiskOf('/no/such/folder')).check();
  await disk(0, () => Promise.resolve({ free: -1, total: 1 })).check();
  expect(() => checkFolder('FAIRWAY_DISK_PATH', '/no/such/folder')).toThrow(
    /^FAIRWAY_DISK_PATH: \/no\/such\/folder cannot be looked at/,
  );
});

test('the disk is looked at once in a second, however many ask, and the change is said once', async () => {
  let looks = 0;
  const said: string[] = [];
  const watched = new Disk({
    measure: () => Promise.resolve({ free: 7, total: ++looks }),
    reserveBytes: 8,
    emit: ({ kind }) => said.push(kind),
  });
  const refusals = await Promise.allSettled(Array.from({ length: 50 }, () => watched.check()));
  expect(refusals.filter(({ status }) => status === 'rejected')).toHaveLength(50);
  expect(looks).toBe(1);
  expect(said).toEqual(['disk-nearly-full']);
});
