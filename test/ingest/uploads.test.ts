/** Exactly one effect: one key many times, loaders that are overtaken, locks that wait for each other. */
import { expect, test } from 'vitest';
import { collect, collectAttempt } from '../../src/ingest/collect.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import type { Claim, UploadContext } from '../../src/ingest/upload/context.js';
import { abandonUpload, publishUpload } from '../../src/ingest/upload/finish.js';
import { openUpload } from '../../src/ingest/upload/open.js';
import { PartLoader } from '../../src/ingest/upload/parts.js';
import { renewLease, shareBatch } from '../../src/ingest/upload/sql.js';
import { contextOf, csv, importPlaces, itemsOf, withBatches } from '../support/batches.js';
import { withDatabase } from '../support/database.js';
import {
  attempts,
  begin,
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

/** A claim with parts of two items loaded, the last one held. */
async function load(context: UploadContext, parts: number) {
  const opened = await openUpload(context, upload);
  if (!('claim' in opened)) throw new Error('the key is taken');
  const { claim } = opened;
  const loader = new PartLoader(context, claim);
  const add = (part: number): Promise<void> =>
    loader.add({
      items: 2,
      firstDay: 19_000,
      lastDay: 19_000,
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
  // Or the one before would find its loader taken over, now and then.
  await loader.finish();
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

test('publishing and taking over wait for a part that is being committed', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const first = await load(context, 2);
    await expireLeases(test);
    let second: ReturnType<typeof load> | undefined;
    await test.database.transaction(async (client) => {
      await shareBatch(client, first.claim.batch);
      second = load(context, 2);
      await untilWaiting(test, 1);
    });
    const { claim, loader } = (await second) ?? first;
    expect(claim.batch).toBe(first.claim.batch);
    let published: Promise<void> | undefined;
    await test.database.transaction(async (client) => {
      await shareBatch(client, claim.batch);
      published = publishLoaded(context, claim, loader, 4);
      await untilWaiting(test, 1);
    });
    await published;
    expect(await items(test)).toBe(4);
  }));

test('of many that replace one batch just as it is replaced, each finds out before it takes the head', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const uploads = new Uploads(contextOf(test, { uploads: 8 }));
    const old = await uploads.take(upload, bytes(csv(itemsOf(1))));
    const replacing = (key: string) =>
      uploads.take({ ...upload, key, replaces: old.batch.id }, bytes(csv(itemsOf(2))));
    let all: Promise<PromiseSettledResult<unknown>[]> | undefined;
    await test.database.transaction(async (client) => {
      await client.query('select from fairway.head for update');
      all = Promise.allSettled([replacing('a'), replacing('b'), replacing('c')]);
      await untilWaiting(test, 3);
    });
    const results = (await all) ?? [];
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'batch_state' });
    }
    expect(await items(test)).toBe(2);
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

test('a renewal that waits for publishing gives the published attempt no lease', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const { claim, loader } = await load(context, 1);
    let renewed: Promise<boolean> | undefined;
    context.reach = async (stage) => {
      if (stage !== 'before commit') return;
      renewed = test.database.withClient((client) => renewLease(client, claim.attempt, 1_000));
      await untilWaiting(test, 1);
    };
    await publishLoaded(context, claim, loader, 2);
    expect(await renewed).toBe(false);
    expect(await attempts(test)).toEqual([]);
    expect(await items(test)).toBe(2);
  }));

test('parts that do not add up are not published', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const context = contextOf(test, long);
    const { claim, loader } = await load(context, 3);
    await expect(publishLoaded(context, claim, loader, 7)).rejects.toThrow('holds 6 items instead of 7');
    expect(await items(test)).toBe(0);
  }));
