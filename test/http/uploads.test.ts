/** Bursts, slow and broken clients: over real connections. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readBody } from '../../src/ingest/upload/body.js';
import { Slots } from '../../src/ingest/upload/slots.js';
import { csv, itemsOf, withBatches, type BatchTest } from '../support/batches.js';
import { sendTo } from '../support/sending.js';

const header = 'orig_code,dest_code,day,price\n';
const line = 'AAAAA,BBBBB,2022-01-01,100\n';

/** A batch, of which the header has gone. */
async function begun({ server }: BatchTest, headers: Record<string, string> = {}) {
  const { sending, answer } = await sendTo(server, { method: 'POST', path: '/batches', headers });
  sending.write(header);
  return {
    write: (text: string) => sending.write(text),
    end: (text?: string) => sending.end(text),
    destroy: () => sending.destroy(),
    answer,
  };
}

const left = (test: BatchTest) =>
  test.query(
    `select (select count(*)::integer from fairway.batches where source = 'upload') as batches,
       (select count(*)::integer from fairway.attempts) as attempts, (select count(*)::integer from fairway.segments) as segments`,
  );
/** The attempt of the import of the places. */
const nothing = [{ batches: 0, attempts: 1, segments: 0 }];

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('an upload that stalls or drips is cut off with 408, and nothing of it stays, with a key or without', () =>
  withBatches(
    async (test) => {
      for (const headers of [{}, { 'idempotency-key': 'k' }]) {
        const stalled = await begun(test, headers);
        stalled.write(line.repeat(8));
        expect(await stalled.answer).toMatchObject({ status: 408, body: { code: 'request_timeout' } });
        stalled.destroy();
        expect(await left(test)).toEqual(nothing);
      }
      const dripping = await begun(test);
      const drips = setInterval(() => dripping.write('A'), 10);
      expect(await dripping.answer).toMatchObject({ status: 408 });
      clearInterval(drips);
      dripping.destroy();
      expect(await left(test)).toEqual(nothing);
    },
    { itemsPerPart: 2, limits: { windowMilliseconds: 200 } },
  ));

test('only waiting for the client counts: a slow reader of an honest upload cuts nobody off', async () => {
  const limits = { bytesPerSecond: 1_000, windowMilliseconds: 40, decodedBytes: 1 << 20 };
  const source = new PassThrough();
  source.end(Buffer.alloc(100));
  let bytes = 0;
  for await (const chunk of readBody(source, 'identity', limits)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    bytes += chunk.length;
  }
  expect(bytes).toBe(100);
});

test('a client that goes away in the middle leaves nothing', () =>
  withBatches(
    async (test) => {
      const sending = await begun(test, { 'idempotency-key': 'k' });
      sending.write(line.repeat(8));
      await until(async () => (await test.query('select from fairway.segments')).length > 0);
      sending.destroy();
      await until(
        async () => (await test.query("select from fairway.batches where source = 'upload'")).length === 0,
      );
      expect(await left(test)).toEqual(nothing);
      expect((await test.post(csv(itemsOf(3)), { key: 'k' })).statusCode).toBe(201);
    },
    { itemsPerPart: 2 },
  ));

test('beyond the bound a load waits its turn for a moment, then is told to come again; the others are not disturbed', () =>
  withBatches(
    async (test) => {
      const running = await begun(test);
      await until(async () => (await left(test))[0]?.['batches'] === 1);
      const refused = await test.post(csv(itemsOf(3)));
      expect(refused.json()).toMatchObject({ status: 503, code: 'overloaded' });
      expect(refused.headers['retry-after']).toBe('2');
      const early = await begun(test);
      expect(await early.answer).toMatchObject({ status: 503 });
      early.destroy();
      running.end(line.repeat(3));
      expect(await running.answer).toMatchObject({ status: 201, body: { state: 'published' } });
      expect((await test.post(csv(itemsOf(3)))).statusCode).toBe(201);
    },
    { limits: { uploads: 1, admissionMilliseconds: 60 } },
  ));

test('slots go to those who wait in the order they came', async () => {
  const slots = new Slots(1, 10_000);
  const order: number[] = [];
  let release = (): void => undefined;
  const first = slots.use(() => new Promise<void>((resolve) => (release = resolve)));
  const others = [1, 2, 3].map((number) => slots.use(async () => void order.push(number)));
  release();
  await Promise.all([first, ...others]);
  expect(order).toEqual([1, 2, 3]);
  expect(slots.taken).toBe(0);
});

test('an answer that comes before the body has ended reaches a client that is still sending', () =>
  withBatches(
    async (test) => {
      const refused = await begun(test);
      expect(await refused.answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      // What it goes on sending is thrown away.
      for (let part = 0; part < 16; part++) refused.write(line.repeat(10_000));
      refused.end();
    },
    { writes: 'keys' },
  ));

test('metrics count batches by outcome, items, seconds, and what runs', () =>
  withBatches(async (test) => {
    await test.post(csv(itemsOf(3)), { key: 'k' });
    await test.post(csv(itemsOf(3)), { key: 'k' });
    await test.post(csv(itemsOf(3)), { query: '?dry_run=true' });
    await test.post(csv(itemsOf(3, 0)));
    await test.post('x', { headers: { 'content-encoding': 'gzip' } });
    const { body } = await test.server.inject({ url: '/metrics' });
    for (const line of [
      'fairway_batches_total{outcome="published"} 1',
      'fairway_batches_total{outcome="repeated"} 1',
      'fairway_batches_total{outcome="checked"} 1',
      'fairway_batches_total{outcome="rejected"} 1',
      'fairway_batches_total{outcome="failed"} 1',
      'fairway_items_loaded_total 3',
      'fairway_uploads_running 0',
      'fairway_load_seconds_count 2',
    ])
      expect(body).toContain(`${line}\n`);
    const kinds = test.events.map((event) => event.kind);
    expect(kinds).toContain('batch-published');
    expect(kinds).toContain('batch-rejected');
  }));
