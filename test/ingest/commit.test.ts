/** Connections cut at COMMIT: what was being done happens once, and is said, or its key finds it out. */
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { contextOf, csv, importPlaces, itemsOf } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { cutCommit, isCommit } from '../support/cut-commit.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import {
  bytes,
  expireLeases,
  items,
  long,
  none,
  orphans,
  until,
  untilWaiting,
  upload,
} from '../support/uploads.js';

/** In the transaction that publishes, and in the one that finds out whether it did. */
const publishing = 'set lease_until = null';
const impatient = { patience: { tryMilliseconds: 5_000, settleMilliseconds: 300 } };

for (const moment of ['before', 'after'] as const) {
  for (const itemsPerPart of [2, 100]) {
    test(`a connection cut ${moment} COMMIT of publishing, parts of ${itemsPerPart}: published once, and said so`, () =>
      withDatabase(async (test) => {
        await importPlaces(test);
        await withPostgresProxy(test, async (proxy) => {
          const { database } = proxy;
          const uploads = new Uploads({ ...contextOf(test, {}, itemsPerPart), database });
          for (const key of ['k', null]) {
            const cut = cutCommit(proxy, moment, publishing, 2);
            const verdict = await uploads.take({ ...upload, key }, bytes(csv(itemsOf(5))));
            await cut;
            expect(verdict).toMatchObject({ repeated: false, batch: { state: 'published', items: 5 } });
          }
          expect(await items(test)).toBe(10);
          expect(await orphans(test)).toEqual(none);
        });
      }));
  }

  test(`a database lost ${moment} COMMIT and away: the outcome is not known, and the key finds it out`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const { database } = proxy;
        const uploads = new Uploads({ ...contextOf(test, { ...long, ...impatient }), database });
        const cut = cutCommit(proxy, moment, publishing);
        const first = uploads.take(upload, bytes(csv(itemsOf(5))));
        first.catch(() => undefined);
        await cut;
        proxy.refuse();
        proxy.cut();
        await expect(first).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
        proxy.open();
        await until(() =>
          database.read({ text: 'select' }).then(
            () => true,
            () => false,
          ),
        );
        if (moment === 'before') await expireLeases(test);
        const verdict = await uploads.take(upload, bytes(csv(itemsOf(5))));
        expect(verdict).toMatchObject({
          repeated: moment === 'after',
          batch: { state: 'published', revision: 2 },
        });
        expect(await items(test)).toBe(5);
        await collect(test.database, test.emit);
        expect(await orphans(test)).toEqual(none);
      });
    }));

  test(`a connection cut ${moment} COMMIT of a part, a rejection, a withdrawal: each happens once`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const { database } = proxy;
        const uploads = new Uploads({ ...contextOf(test, {}, 2), database });
        const cuts = [cutCommit(proxy, moment, 'insert into fairway.parts')];
        const { batch } = await uploads.take(upload, bytes(csv(itemsOf(5))));
        cuts.push(cutCommit(proxy, moment, "set state = 'rejected'"));
        const bad = await uploads.take({ ...upload, key: 'bad' }, bytes(csv(itemsOf(3, 0))));
        cuts.push(cutCommit(proxy, moment, "set state = 'withdrawn'"));
        expect(await items(test)).toBe(5);
        await withdraw(database, batch.id, test.emit);
        await Promise.all(cuts);
        expect(bad.batch).toMatchObject({ state: 'rejected', errors: 3 });
        expect(await test.query('select revision from fairway.head')).toEqual([{ revision: '3' }]);
        expect(await test.query('select count(*)::integer as count from fairway.batch_errors')).toEqual([
          { count: 3 },
        ]);
        expect(await items(test)).toBe(0);
        expect(await orphans(test)).toEqual(none);
      });
    }));
}

for (const itemsPerPart of [2, 100]) {
  test(`a COMMIT still on its way to the server is waited for under the lock, parts of ${itemsPerPart}: reading would say that nothing was published`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const uploads = new Uploads({ ...contextOf(test, long, itemsPerPart), database: proxy.database });
        const stranded = proxy.plan('strand', isCommit('> Query commit', publishing));
        const verdict = uploads.take(upload, bytes(csv(itemsOf(5))));
        await stranded;
        // The service has lost its connection, tries again, and waits for what holds the batch.
        await untilWaiting(test, 1);
        const states = () => test.query("select state from fairway.batches where idempotency_key = 'k'");
        expect(await states()).toEqual([{ state: 'loading' }]);
        expect(await items(test)).toBe(0);
        proxy.release();
        expect(await verdict).toMatchObject({ repeated: false, batch: { state: 'published', revision: 2 } });
        expect(await test.query('select revision from fairway.head')).toEqual([{ revision: '2' }]);
        expect(await items(test)).toBe(5);
        expect(await orphans(test)).toEqual(none);
      });
    }));
}

test('a COMMIT still on its way when the service gives up: the key waits for it too, and finds what it did', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    await withPostgresProxy(test, async (proxy) => {
      const uploads = new Uploads({
        ...contextOf(test, { leaseMilliseconds: 100, ...impatient }),
        database: proxy.database,
      });
      const stranded = proxy.plan('strand', isCommit('> Query commit', publishing));
      const first = uploads.take(upload, bytes(csv(itemsOf(5))));
      first.catch(() => undefined);
      await stranded;
      await expect(first).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
      // Its lease is over: the repeat would load again, were it not for the lock.
      await until(
        async () =>
          (await test.query('select from fairway.attempts where lease_until < clock_timestamp()')).length ===
          1,
      );
      const again = new Uploads(contextOf(test)).take(upload, bytes(csv(itemsOf(5))));
      await untilWaiting(test, 1);
      proxy.release();
      expect(await again).toMatchObject({ repeated: true, batch: { state: 'published', revision: 2 } });
      expect(await items(test)).toBe(5);
    });
  }));
