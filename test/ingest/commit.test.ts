/** Connections cut at COMMIT: what was being done happens once, and is said, or its key finds it out. */
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { contextOf, csv, importPlaces, itemsOf } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { withPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.js';
import { bytes, expireLeases, items, long, none, orphans, until, upload } from '../support/uploads.js';

/** In the transaction that publishes, and in the one that finds out whether it did. */
const publishing = 'set lease_until = null';
/** The next COMMIT of such a transaction is cut: before the server gets it, or before its answer is heard. */
const cutCommit = (proxy: PostgresProxy, moment: 'before' | 'after', text: string, times = 1) =>
  proxy.plan(
    'cut before',
    ({ name, transaction }) =>
      name.startsWith(moment === 'before' ? '> Query commit' : '< CommandComplete COMMIT') &&
      transaction.some((statement) => statement.includes(text)),
    times,
  );
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
