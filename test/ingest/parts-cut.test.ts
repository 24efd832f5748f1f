/** Batches in parts where something breaks off: connections cut at COMMIT, a database that is away, clients that stall or go. */
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { limits } from '../../src/http/limits.js';
import { contextOf, csv, importPlaces, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { digestOf, left, opened, partOf, put } from '../support/parts.js';
import { cutCommit, isCommit } from '../support/cut-commit.js';
import { sendTo } from '../support/sending.js';
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

for (const moment of ['before', 'after'] as const) {
  test(`a connection cut ${moment} COMMIT of a part and of publishing: each happens once, and is said`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const { database } = proxy;
        const { parted } = new Uploads({ ...contextOf(test, {}, 2), database });
        const { caller } = upload;
        const { batch } = await parted.open({ caller, key: null, format: null, replaces: null });
        const send = (part: number, count: number) => {
          const body = csv(itemsOf(count));
          return parted.put(partOf(batch.id, part, body), bytes(body));
        };
        for (const count of [5, 6]) {
          const cut = cutCommit(proxy, moment, 'set lease_until', 2);
          expect(await send(1, count)).toMatchObject({ part: { items: count } });
          await cut;
        }
        await send(2, 3);
        const cut = cutCommit(proxy, moment, 'set lease_until', 2);
        expect(await parted.publish(batch.id, caller, { parts: 2, items: 9 })).toMatchObject({
          state: 'published',
          revision: 2,
        });
        await cut;
        expect(test.events.filter(({ kind }) => kind === 'batch-published')).toHaveLength(1);
        expect(await test.query('select revision from fairway.head')).toEqual([{ revision: '2' }]);
        expect(await items(test)).toBe(9);
        expect(await orphans(test)).toEqual(none);
      });
    }));

  test(`a database lost ${moment} COMMIT of a part and away: the outcome is not known, and the part sent again finds it out`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const { database } = proxy;
        const impatient = { patience: { tryMilliseconds: 5_000, settleMilliseconds: 300 } };
        const { parted } = new Uploads({ ...contextOf(test, impatient), database });
        const { caller } = upload;
        const { batch } = await parted.open({ caller, key: 'k', format: null, replaces: null });
        const body = csv(itemsOf(5));
        const part = partOf(batch.id, 1, body);
        const cut = cutCommit(proxy, moment, 'insert into fairway.parts');
        const first = parted.put(part, bytes(body));
        first.catch(() => undefined);
        await cut;
        proxy.refuse();
        proxy.cut();
        await expect(first).rejects.toMatchObject({ code: 'outcome_unknown' });
        proxy.open();
        await until(() =>
          database.read({ text: 'select' }).then(
            () => true,
            () => false,
          ),
        );
        expect(await parted.put(part, bytes(body))).toMatchObject({ repeated: moment === 'after' });
        await parted.publish(batch.id, caller, { parts: 1, items: 5 });
        expect(await items(test)).toBe(5);
      });
    }));
}

test('a batch opened again just as the first try of its key has replaced another: it is found, not refused', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const uploads = new Uploads(contextOf(test));
    const old = await uploads.take(upload, bytes(csv(itemsOf(1))));
    const opening = { caller: upload.caller, key: 'parts', format: null, replaces: old.batch.id };
    await withPostgresProxy(test, async (proxy) => {
      const { parted } = new Uploads({ ...contextOf(test), database: proxy.database });
      // It has not found the key and is about to ask what becomes of the batch to be replaced.
      const stalled = proxy.plan('stall', ({ exchange }) =>
        exchange.statement.startsWith('select id, owner_key'),
      );
      const second = parted.open(opening);
      second.catch(() => undefined);
      await stalled;
      const { batch } = await uploads.parted.open(opening);
      const body = csv(itemsOf(2));
      await uploads.parted.put(partOf(batch.id, 1, body), bytes(body));
      await uploads.parted.publish(batch.id, upload.caller, { parts: 1, items: 2 });
      proxy.release();
      expect(await second).toMatchObject({ repeated: true, batch: { id: batch.id, state: 'published' } });
    });
  }));

test('a COMMIT of a part and of publishing still on its way is waited for under the lock: reading would say that there is nothing', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    await withPostgresProxy(test, async (proxy) => {
      const { database } = proxy;
      const { parted } = new Uploads({ ...contextOf(test, long), database });
      const { caller } = upload;
      const { batch } = await parted.open({ caller, key: null, format: null, replaces: null });
      const body = csv(itemsOf(5));
      const ofPart = proxy.plan('strand', isCommit('> Query commit', 'insert into fairway.parts'));
      const stored = parted.put(partOf(batch.id, 1, body), bytes(body));
      stored.catch(() => undefined);
      await ofPart;
      // The service has lost its connection, tries again, and waits for what holds the part.
      await untilWaiting(test, 1);
      expect(await test.query('select from fairway.parts')).toEqual([]);
      proxy.release();
      expect(await stored).toMatchObject({ part: { part: 1, items: 5 } });
      const ofPublishing = proxy.plan('strand', isCommit('> Query commit', "set state = 'published'"));
      const published = parted.publish(batch.id, caller, { parts: 1, items: 5 });
      published.catch(() => undefined);
      await ofPublishing;
      await untilWaiting(test, 1);
      expect(await items(test)).toBe(0);
      proxy.release();
      expect(await published).toMatchObject({ state: 'published', revision: 2 });
      expect(await test.query('select revision from fairway.head')).toEqual([{ revision: '2' }]);
      expect(await items(test)).toBe(5);
      expect(await orphans(test)).toEqual(none);
    });
  }));

for (const [where, kind, collected] of [
  ['before it shares its batch', 'Parse', 1],
  ['within its COPY', 'CopyDone', 0],
] as const) {
  test(`a collector beside a part that stalled ${where}: the lock decides, and nothing is left of the one that lost`, () =>
    withDatabase(async (test) => {
      await importPlaces(test);
      await withPostgresProxy(test, async (proxy) => {
        const { parted } = new Uploads({ ...contextOf(test, long), database: proxy.database });
        const { caller } = upload;
        const { batch } = await parted.open({ caller, key: null, format: null, replaces: null });
        const text = kind === 'Parse' ? 'select id from fairway.batches where id = $1 for share' : 'copy ';
        const stalled = proxy.plan(
          'stall',
          (message) => message.kind === kind && message.exchange.statement.startsWith(text),
        );
        const body = csv(itemsOf(5));
        const part = parted.put(partOf(batch.id, 1, body), bytes(body));
        part.catch(() => undefined);
        await stalled;
        await expireLeases(test);
        expect(await collect(test.database, test.emit)).toBe(collected);
        proxy.release();
        if (collected === 1) await expect(part).rejects.toMatchObject({ code: 'batch_unknown' });
        else {
          await part;
          // It has renewed its lease.
          expect(await collect(test.database, test.emit)).toBe(0);
          await parted.publish(batch.id, caller, { parts: 1, items: 5 });
        }
        expect(await items(test)).toBe(collected === 1 ? 0 : 5);
        expect(await orphans(test)).toEqual(none);
      });
    }));
}

test('two that open with one key at once have the same batch, and only one of them has made it', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const { parted } = new Uploads(contextOf(test));
    const opening = { caller: upload.caller, key: 'k', format: null, replaces: null };
    const both = await Promise.all([parted.open(opening), parted.open(opening)]);
    expect(both.filter(({ repeated }) => repeated)).toHaveLength(1);
    expect(new Set(both.map(({ batch }) => batch.id)).size).toBe(1);
    expect(
      await test.query("select from fairway.attempts where state = 'loading' and lease_until is not null"),
    ).toHaveLength(1);
  }));

/** A part, of which nothing has gone. */
const begin = ({ server }: BatchTest, id: string, whole: string) =>
  sendTo(server, {
    method: 'PUT',
    path: `/batches/${id}/parts/1`,
    headers: { 'content-digest': digestOf(whole) },
  });

test('a part that stalls is cut off, one whose client goes away leaves nothing, one that is there is answered before its body', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      const whole = csv(itemsOf(9));
      const stalled = await begin(test, id, whole);
      stalled.sending.write(whole.slice(0, 90));
      expect(await stalled.answer).toMatchObject({ status: 408, body: { code: 'request_timeout' } });
      stalled.sending.destroy();
      const gone = await begin(test, id, whole);
      gone.sending.write(whole.slice(0, 90));
      const begun = () => test.events.filter(({ kind }) => kind === 'part-begun').length;
      await until(async () => begun() === 2);
      gone.sending.destroy();
      await until(async () => test.events.filter(({ kind }) => kind === 'part-ended').length === 2);
      expect(await left(test)).toMatchObject([{ parts: 0, segments: 0 }]);
      expect((await put(test, id, 1, whole)).statusCode).toBe(201);
      const again = await begin(test, id, whole);
      again.sending.flushHeaders();
      expect(await again.answer).toMatchObject({ status: 200, body: { items: 9 } });
      again.sending.destroy();
    },
    { itemsPerPart: 2, limits: { windowMilliseconds: 200 } },
  ));

test('a part may take longer than a body that is read whole', () =>
  withBatches(async (test) => {
    const id = await opened(test);
    const whole = csv(itemsOf(9));
    const { requestMilliseconds } = limits;
    limits.requestMilliseconds = 20;
    try {
      const slow = await begin(test, id, whole);
      slow.sending.write(whole.slice(0, 90));
      await new Promise((resolve) => setTimeout(resolve, 200));
      slow.sending.end(whole.slice(90));
      expect(await slow.answer).toMatchObject({ status: 201, body: { items: 9 } });
    } finally {
      limits.requestMilliseconds = requestMilliseconds;
    }
  }));
