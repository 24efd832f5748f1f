/** Exactly one effect: one key many times, loaders that are overtaken, connections cut at COMMIT, the collector. */
import { expect, test } from 'vitest';
import { collect, collectAttempt } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import type { Claim, Upload, UploadContext } from '../../src/ingest/upload/context.js';
import { abandonUpload, publishUpload } from '../../src/ingest/upload/finish.js';
import { openUpload } from '../../src/ingest/upload/open.js';
import { PartLoader } from '../../src/ingest/upload/parts.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { contextOf, csv, importPlaces, itemsOf, withBatches } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import { withProxy } from '../support/proxy.js';
import { attempts, begin, expireLeases, items, long, none, orphans, until } from '../support/uploads.js';

test('ten clients with one key at once: one batch, one verdict', () =>
  withBatches(
    async (test) => {
      const body = csv(itemsOf(5));
      const answers = await Promise.all(Array.from({ length: 10 }, () => test.post(body, { key: 'k' })));
      expect(answers.map((answer) => answer.statusCode).sort((a, b) => a - b)).toEqual([
        ...Array(9).fill(200),
        201,
      ]);
      expect(new Set(answers.map((answer) => answer.body)).size).toBe(1);
      expect(await items(test)).toBe(5);
      expect(await orphans(test)).toEqual(none);
    },
    { itemsPerPart: 2 },
  ));

test('a repeat while the first try runs waits, then says so, and loads nothing; with the verdict it is the same', () =>
  withBatches(
    async (test) => {
      const first = begin(test, 'k');
      await until(async () => (await attempts(test)).length === 1);
      const early = await test.post(csv(itemsOf(2)), { key: 'k' });
      expect(early.json()).toMatchObject({ status: 409, code: 'in_progress' });
      expect(Number(early.headers['retry-after'])).toBeGreaterThan(0);
      expect(await attempts(test)).toHaveLength(1);
      first.body.end();
      expect((await first.answer).statusCode).toBe(201);
      expect((await test.post(csv(itemsOf(2)), { key: 'k' })).json()).toEqual((await first.answer).json());
      expect(await items(test)).toBe(2);
    },
    { limits: { repeatMilliseconds: 60 } },
  ));

test('a loader whose lease is over is overtaken, and ends without effect when it wakes', () =>
  withBatches(
    async (test) => {
      const first = begin(test, 'k');
      first.body.write(
        itemsOf(4)
          .map((item) => `${item.join(',')}\n`)
          .join(''),
      );
      await until(async () => (await test.query('select from fairway.parts')).length > 0);
      await expireLeases(test);
      const second = await test.post(csv(itemsOf(3)), { key: 'k' });
      expect(second.json()).toMatchObject({ state: 'published', items: 3 });
      first.body.end(
        itemsOf(4)
          .map((item) => `${item.join(',')}\n`)
          .join(''),
      );
      expect((await first.answer).json()).toMatchObject({ status: 409, code: 'in_progress' });
      expect(await items(test)).toBe(3);
      await collect(test.database, test.emit);
      expect(await orphans(test)).toEqual(none);
    },
    { itemsPerPart: 2, limits: long },
  ));

test('the lease is renewed while a client is slow, and a lost one is noticed without a part', () =>
  withBatches(
    async (test) => {
      const first = begin(test, 'k');
      const lease = async () =>
        (
          await test.query<{ lease: Date }>(
            'select lease_until as lease from fairway.attempts where lease_until is not null',
          )
        )[0]?.lease;
      await until(async () => (await lease()) !== undefined);
      const before = await lease();
      await until(async () => Number(await lease()) > Number(before));
      expect(await collect(test.database, test.emit)).toBe(0);
      await test.query("update fairway.attempts set state = 'dead' where lease_until is not null");
      expect((await first.answer).json()).toMatchObject({ status: 409, code: 'in_progress' });
      expect(await items(test)).toBe(0);
    },
    { limits: { leaseMilliseconds: 200 } },
  ));

const upload: Upload = {
  caller: { key: null, all: true },
  key: 'k',
  format: 'csv',
  encoding: 'identity',
  replaces: null,
};

/** A claim with parts of two items loaded, the last one held. */
async function load(context: UploadContext, parts: number) {
  const opened = await openUpload(context, upload);
  if (!('claim' in opened)) throw new Error('the key is taken');
  const { claim } = opened;
  const loader = new PartLoader(context, claim);
  const add = (part: number): Promise<void> =>
    loader.add({
      items: 2,
      lanes: part === 0 ? [{ origin: 'AAAAA', destination: 'BBBBB' }] : [],
      segments: [
        {
          lane: 0,
          firstDay: 19_000,
          lastDay: 19_000,
          items: 2,
          payload: Buffer.from([1, 1, 0, 0, 0, 9, 0, 0, 0, 0]),
        },
      ],
    });
  for (let part = 0; part < parts; part++) await add(part);
  return { claim, loader, add };
}
const publishLoaded = async (context: UploadContext, claim: Claim, loader: PartLoader, count: number) =>
  publishUpload(
    context,
    upload,
    claim,
    {
      items: count,
      lanes: 1,
      sha256: Buffer.alloc(32),
      bytes: 9,
      faults: [],
      faultTotal: 0,
      faultCounts: {},
    },
    await loader.finish(),
  );

test('after takeover neither a part nor publishing of the older loader has an effect; a part after publishing has none', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const first = await load(context, 2);
    await expireLeases(test);
    const second = await load(context, 2);
    await expect(publishLoaded(context, first.claim, first.loader, 4)).rejects.toMatchObject({
      code: 'in_progress',
    });
    await first.add(2);
    await expect(first.loader.finish()).rejects.toMatchObject({ code: 'in_progress' });
    await publishLoaded(context, second.claim, second.loader, 4);
    await second.add(2);
    await expect(second.loader.finish()).rejects.toMatchObject({ code: 'in_progress' });
    expect(await items(test)).toBe(4);
    await collect(test.database, test.emit);
    expect(await orphans(test)).toEqual(none);
  }));

test('giving up a batch that was published after all has no effect', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const { claim, loader } = await load(context, 2);
    await publishLoaded(context, claim, loader, 4);
    await abandonUpload(context, claim, 'test');
    await collectAttempt(test.database, claim, test.emit);
    await expireLeases(test);
    await collect(test.database, test.emit);
    expect(await items(test)).toBe(4);
    expect(await test.query("select state from fairway.batches where source = 'upload'")).toEqual([
      { state: 'published' },
    ]);
  }));

test('parts that do not add up are not published', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const { claim, loader } = await load(context, 3);
    await expect(publishLoaded(context, claim, loader, 7)).rejects.toThrow('holds 6 items instead of 7');
    expect(await items(test)).toBe(0);
  }));

const publishing = "set state = 'published'";
const impatient = { patience: { tryMilliseconds: 5_000, settleMilliseconds: 300 } };

for (const moment of ['before', 'after'] as const) {
  for (const itemsPerPart of [2, 100]) {
    test(`a connection cut ${moment} COMMIT of publishing, parts of ${itemsPerPart}: published once, and said so`, () =>
      withDatabase(async (test) => {
        await importPlaces(test);
        await withProxy(test, async (database, proxy) => {
          const uploads = new Uploads({ ...contextOf(test, {}, itemsPerPart), database });
          for (const key of ['k', null]) {
            const cut = proxy.cut(moment, publishing, 2);
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
      await withProxy(test, async (database, proxy) => {
        const uploads = new Uploads({ ...contextOf(test, { ...long, ...impatient }), database });
        const cut = proxy.cut(moment, publishing);
        const first = uploads.take(upload, bytes(csv(itemsOf(5))));
        first.catch(() => undefined);
        await cut;
        proxy.shut();
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
      await withProxy(test, async (database, proxy) => {
        const uploads = new Uploads({ ...contextOf(test, {}, 2), database });
        const cuts = [proxy.cut(moment, 'insert into fairway.parts')];
        const { batch } = await uploads.take(upload, bytes(csv(itemsOf(5))));
        cuts.push(proxy.cut(moment, "set state = 'rejected'"));
        const bad = await uploads.take({ ...upload, key: 'bad' }, bytes(csv(itemsOf(3, 0))));
        cuts.push(proxy.cut(moment, "set state = 'withdrawn'"));
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

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
