/** The collector, and what runs beside loads. */
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { contextOf, csv, importPlaces, itemsOf, withBatches } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import { begin, bytes, expireLeases, items, long, none, orphans, until, upload } from '../support/uploads.js';

test('the collector removes what dead loaders left, in steps; a key stays good, a living loader is left alone', () =>
  withBatches(
    async (test) => {
      const [keyed, keyless] = [begin(test, 'k'), begin(test)];
      for (const { body } of [keyed, keyless]) body.write('AAAAA,BBBBB,2022-01-01,1\n'.repeat(6));
      const loaded = async () => (await test.query('select distinct attempt from fairway.segments')).length;
      await until(async () => (await loaded()) === 2);
      expect(await collect(test.database, test.emit)).toBe(0);
      expect(await loaded()).toBe(2);
      await expireLeases(test);
      // Somebody holds one of the batches: it waits for another round, the other one does not.
      await test.database.transaction(async (client) => {
        await client.query("select from fairway.batches where idempotency_key = 'k' for share");
        expect(await collect(test.database, test.emit)).toBe(1);
      });
      expect(await collect(test.database, test.emit)).toBe(1);
      expect(await orphans(test)).toEqual([{ segments: 0, parts: 0, batches: 1 }]);
      expect(test.events.filter((event) => event.kind === 'attempt-collected')).toHaveLength(2);
      expect((await test.post(csv(itemsOf(3)), { key: 'k' })).statusCode).toBe(201);
      for (const { body, answer } of [keyed, keyless]) {
        body.end();
        expect((await answer).json()).toMatchObject({ code: 'in_progress' });
      }
      expect(await items(test)).toBe(3);
      expect(await orphans(test)).toEqual(none);
    },
    { itemsPerPart: 2, limits: { ...long, uploads: 4 } },
  ));

for (const [where, kind, collected] of [
  ['before it shares its batch', 'Parse', 1],
  ['within the COPY of a part', 'CopyDone', 0],
] as const) {
  test(`a collector beside a loader that stalled ${where}: the lock decides, and nothing is left of the one that lost`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const uploads = new Uploads({ ...contextOf(test, long, 2), database: proxy.database });
        const text = kind === 'Parse' ? 'select id from fairway.batches where id = $1 for share' : 'copy ';
        const stalled = proxy.plan(
          'stall',
          (message) => message.kind === kind && message.exchange.statement.startsWith(text),
        );
        const first = uploads.take(upload, bytes(csv(itemsOf(5))));
        first.catch(() => undefined);
        await stalled;
        await expireLeases(test);
        expect(await collect(test.database, test.emit)).toBe(collected);
        proxy.release();
        if (collected === 0) expect(await first).toMatchObject({ repeated: false, batch: { items: 5 } });
        else await expect(first).rejects.toMatchObject({ code: 'in_progress' });
        expect(await items(test)).toBe(collected === 0 ? 5 : 0);
        expect((await new Uploads(contextOf(test)).take(upload, bytes(csv(itemsOf(5))))).batch.items).toBe(5);
        expect(await items(test)).toBe(5);
        await collect(test.database, test.emit);
        expect(await orphans(test)).toEqual(none);
      });
    }));
}

test('no transaction is open while a client is waited for', () =>
  withBatches(
    async (test) => {
      const { body, answer } = begin(test);
      body.write('AAAAA,BBBBB,2022-01-01,1\n'.repeat(6));
      await until(async () => (await test.query('select from fairway.parts')).length > 0);
      const open = () =>
        test.query<{ count: number }>(
          "select count(*)::integer as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (backend_xmin is not null or state like 'idle in%')",
        );
      await until(async () => (await open())[0]?.count === 0);
      await test.query('update fairway.head set revision = revision');
      expect(await open()).toEqual([{ count: 0 }]);
      body.end();
      expect((await answer).statusCode).toBe(201);
    },
    { itemsPerPart: 2 },
  ));

test('readers beside a load see all of a batch or nothing', () =>
  withBatches(
    async (test) => {
      const seen = new Set<unknown>();
      const loads = Array.from({ length: 4 }, async (_, load) => {
        for (let round = 0; round < 5; round++)
          await test.post(csv(itemsOf(1_000, 7)), { key: `${load} ${round}` });
      });
      const load = { over: false };
      const loading = Promise.all(loads).finally(() => (load.over = true));
      while (!load.over) {
        const answer = await test.server.inject({
          url: '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB',
        });
        seen.add(answer.json<{ rates: [{ count: unknown }] }>().rates[0].count ?? 0);
      }
      await loading;
      expect([...seen].filter((count) => Number(count) % 1_000 !== 0)).toEqual([]);
      expect(seen.size).toBeGreaterThan(3);
      expect(await items(test)).toBe(20_000);
    },
    { itemsPerPart: 100, limits: { uploads: 4 }, cacheBytes: 0 },
  ));
