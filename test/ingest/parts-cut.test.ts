/** Batches in parts where something breaks off: connections cut at COMMIT, a database that is away, clients that stall or go. */
import { expect, test } from 'vitest';
import { Uploads } from '../../src/ingest/pipeline.js';
import { limits } from '../../src/http/limits.js';
import { contextOf, csv, importPlaces, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { digestOf, left, opened, partOf, put } from '../support/parts.js';
import { cutCommit } from '../support/cut-commit.js';
import { sendTo } from '../support/sending.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import { bytes, items, none, orphans, until, upload } from '../support/uploads.js';

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
