/** Batches in parts over HTTP: parts and their verdicts, the list, publishing, giving up. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { csv, itemsOf, withBatches } from '../support/batches.js';
import {
  besides,
  counted,
  digestOf,
  giveUp,
  left,
  list,
  nothing,
  open,
  opened,
  publish,
  put,
} from '../support/parts.js';

test('parts sent to two servers in parallel are visible together at publish, not before', () =>
  withBatches(async (test) =>
    besides(test, async (server) => {
      const answer = await open(test, { body: { parts: true, format: 'csv' } });
      expect(answer.statusCode).toBe(201);
      const { id } = answer.json<{ id: string }>();
      expect(answer.headers.location).toBe(`/batches/${id}`);
      expect(answer.json()).toMatchObject({ state: 'loading', parts: true, format: 'csv', items: 0 });
      const day = 24 * 3_600_000;
      const expires = Date.parse(answer.json<{ expires_at: string }>().expires_at) - Date.now();
      expect(Math.abs(expires - day)).toBeLessThan(60_000);
      const senders = [test, { server }];
      const numbers = Array.from({ length: 8 }, (_, index) => 8 - index);
      const bodies = numbers.map((part) => csv([...itemsOf(part), ['BBBBB', 'AAAAA', '2022-01-02', part]]));
      const stored = await Promise.all(
        numbers.map((part, index) => put(senders[index % 2] ?? test, id, part, bodies[index] ?? '')),
      );
      expect(stored.map(({ statusCode }) => statusCode)).toEqual(numbers.map(() => 201));
      expect(stored[0]?.json()).toMatchObject({
        batch: id,
        part: 8,
        items: 9,
        lanes: 2,
        bytes: Buffer.byteLength(bodies[0] ?? ''),
        digest: digestOf(bodies[0] ?? ''),
      });
      expect(await counted(server)).toBe(0);
      const published = await publish({ server }, id, 8, 44);
      expect(published.json()).toMatchObject({
        id,
        state: 'published',
        items: 44,
        lanes: 2,
        revision: 2,
        bytes: bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0),
        expires_at: null,
      });
      expect(published.statusCode).toBe(200);
      expect(published.headers['rates-revision']).toBe('2');
      expect(await counted(server)).toBe(36);
      expect(await counted(test.server)).toBe(36);
      const again = await publish(test, id, 8, 44);
      expect([again.statusCode, again.json()]).toEqual([200, published.json()]);
      expect((await publish(test, id, 8, 43)).json()).toMatchObject({ code: 'batch_state' });
      expect(test.events.filter(({ kind }) => kind === 'batch-published')).toHaveLength(1);
    }),
  ));

test('what is published without all parts, with too many or the wrong count is told what is there', () =>
  withBatches(async (test) => {
    const id = await opened(test);
    expect((await publish(test, id, 2, 3)).json()).toMatchObject({ missing: [1, 2], parts: 0, items: 0 });
    for (const part of [1, 3, 7]) await put(test, id, part, csv(itemsOf(part)));
    const incomplete = async (parts: number, items: number) => {
      const answer = await publish(test, id, parts, items);
      expect(answer.json()).toMatchObject({ status: 409, code: 'parts_incomplete', parts: 3, items: 11 });
      return answer.json<{ detail: string }>();
    };
    expect(await incomplete(7, 11)).toMatchObject({ missing: [2, 4, 5, 6], unexpected: [] });
    expect(await incomplete(3, 11)).toMatchObject({ missing: [2], unexpected: [7] });
    expect(await incomplete(9_000, 11)).toMatchObject({ missing: { length: 100, 0: 2, 99: 103 } });
    await put(test, id, 2, csv(itemsOf(2)));
    for (const part of [4, 5, 6]) await put(test, id, part, csv(itemsOf(1)));
    expect((await publish(test, id, 7, 17)).json()).toMatchObject({
      detail: expect.stringContaining('16 items instead of 17') as string,
      missing: [],
      unexpected: [],
    });
    expect(await counted(test.server)).toBe(0);
    expect(test.events.some(({ kind }) => kind === 'batch-published')).toBe(false);
    expect((await publish(test, id, 7, 16)).json()).toMatchObject({ state: 'published', items: 16 });
    for (const body of [{ parts: 1 }, { parts: 0, items: 1 }, { parts: 1, items: 1, more: 1 }, [1]])
      expect(
        (await test.server.inject({ method: 'POST', url: `/batches/${id}/publish`, payload: body })).json(),
      ).toMatchObject({ code: 'invalid_parameter' });
  }));

test('the same part twice is stored once; another one takes its place as a whole; a bad one leaves it', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      const first = await put(test, id, 1, csv(itemsOf(9)));
      const again = await put(test, id, 1, csv(itemsOf(9)));
      expect([first.statusCode, again.statusCode]).toEqual([201, 200]);
      expect(again.json()).toEqual(first.json());
      expect(test.events.filter(({ kind }) => kind === 'part-stored')).toHaveLength(1);
      const bad = await put(test, id, 1, csv([...itemsOf(6), ...itemsOf(150, 0)]));
      expect(bad.json()).toMatchObject({
        status: 422,
        code: 'part_rejected',
        error_total: 150,
        error_counts: { price_outside: 150 },
        errors: { length: 100, 0: { line: 8, column: 24, field: 'price', value: '0' } },
      });
      expect((await list(test, id)).json()).toMatchObject({ parts: [{ items: 9 }], items: 9 });
      expect((await put(test, id, 1, csv(itemsOf(5)))).statusCode).toBe(201);
      expect((await list(test, id)).json()).toMatchObject({
        parts: [{ part: 1, items: 5, digest: digestOf(csv(itemsOf(5))) }],
        items: 5,
        next: null,
      });
      await publish(test, id, 1, 5);
      expect(await counted(test.server)).toBe(5);
      expect(await left(test)).toMatchObject([{ parts: 1 }]);
      const metrics = (await test.server.inject({ url: '/metrics' })).body;
      for (const line of ['stored"} 2', 'repeated"} 1', 'rejected"} 1'])
        expect(metrics).toContain(`fairway_parts_total{outcome="${line}`);
      expect(metrics).toContain('fairway_uploads_running 0');
    },
    { itemsPerPart: 2 },
  ));

test('what arrives must be what Content-Digest says, packed or not; nothing of anything else is stored', () =>
  withBatches(async (test) => {
    const id = await opened(test);
    const body = csv(itemsOf(4));
    const packed = gzipSync(body);
    const wrong = { 'content-digest': digestOf('other') };
    for (const [sent, headers] of [
      [body, wrong],
      [packed, { ...wrong, 'content-encoding': 'gzip' }],
      [packed, { 'content-digest': digestOf(body), 'content-encoding': 'gzip' }],
      // A body that was damaged on its way has faults, which would only mislead.
      [body.replaceAll('100', 'abc'), { 'content-digest': digestOf(body) }],
    ] as const)
      expect((await put(test, id, 1, sent, headers)).json()).toMatchObject({
        status: 400,
        code: 'digest_mismatch',
      });
    for (const header of ['', 'sha-256=x', `sha-512=:${'A'.repeat(86)}==:`, 'sha-256=:AAAA:'])
      expect((await put(test, id, 1, body, { 'content-digest': header })).json()).toMatchObject({
        code: 'invalid_parameter',
        errors: [{ parameter: 'content-digest' }],
      });
    const without = await test.server.inject({
      method: 'PUT',
      url: `/batches/${id}/parts/1`,
      payload: body,
      headers: { 'content-type': 'text/csv' },
    });
    expect(without.json()).toMatchObject({ status: 400, errors: [{ parameter: 'content-digest' }] });
    expect(await left(test)).toMatchObject([{ parts: 0, segments: 0 }]);
    const good = await put(test, id, 1, packed, {
      'content-encoding': 'gzip',
      'content-digest': `sha-512=:AAAA:, ${digestOf(packed)}`,
    });
    expect(good.json()).toMatchObject({ items: 4, bytes: body.length, digest: digestOf(packed) });
    expect(good.statusCode).toBe(201);
  }));

test('parts are held to limits: number, size, encoding, kind, count, none at all', () =>
  withBatches(
    async (test) => {
      const id = await opened(test);
      for (const part of [0, 10_001, 'x', 1.5])
        expect((await put(test, id, part, csv(itemsOf(1)))).json(), String(part)).toMatchObject({
          code: 'invalid_parameter',
        });
      const large = csv(itemsOf(500));
      expect((await put(test, id, 1, large)).json()).toMatchObject({ code: 'request_too_large' });
      expect((await put(test, id, 1, gzipSync(large), { 'content-encoding': 'gzip' })).json()).toMatchObject({
        code: 'request_too_large',
      });
      const as = (headers: Record<string, string>) => put(test, id, 1, csv(itemsOf(2)), headers);
      expect((await as({ 'content-encoding': 'br' })).json()).toMatchObject({ status: 415 });
      expect((await as({ 'content-encoding': 'gzip' })).json()).toMatchObject({ code: 'body_unreadable' });
      expect((await as({ 'content-type': 'text/html' })).json()).toMatchObject({ status: 415 });
      expect((await as({ 'fairway-items': '3' })).json()).toMatchObject({
        error_counts: { count_differs: 1 },
      });
      expect((await put(test, id, 1, csv([]))).json()).toMatchObject({ error_counts: { batch_empty: 1 } });
      expect(await left(test)).toMatchObject([{ parts: 0, segments: 0 }]);
      expect((await put(test, id, 10_000, csv(itemsOf(2)))).statusCode).toBe(201);
      const object = { orig_code: 'AAAAA', dest_code: 'BBBBB', day: '2022-01-01', price: 1 };
      const json = JSON.stringify([object]);
      for (const [part, type, body] of [
        [1, 'application/json', json],
        [2, 'application/x-ndjson', JSON.stringify(object)],
      ] as const)
        expect((await put(test, id, part, body, { 'content-type': type })).statusCode).toBe(201);
    },
    { limits: { partBytes: 10_000 } },
  ));

test('an open batch that is given up is gone, with everything hidden, and its key is free', () =>
  withBatches(
    async (test) => {
      const id = await opened(test, 'k');
      for (const part of [1, 2]) await put(test, id, part, csv(itemsOf(5)));
      expect((await giveUp(test, id)).json()).toMatchObject({ id, state: 'loading' });
      expect(await left(test)).toEqual(nothing);
      expect((await giveUp(test, id)).json()).toMatchObject({ status: 404, code: 'batch_unknown' });
      expect((await publish(test, id, 2, 10)).json()).toMatchObject({ code: 'batch_unknown' });
      expect((await put(test, id, 3, csv(itemsOf(5)))).json()).toMatchObject({ code: 'batch_unknown' });
      expect((await test.post(csv(itemsOf(3)), { key: 'k' })).statusCode).toBe(201);
    },
    { itemsPerPart: 2 },
  ));

test('the list comes in pages, by number', () =>
  withBatches(async (test) => {
    const id = await opened(test);
    for (const part of [12, 3, 100, 7]) await put(test, id, part, csv(itemsOf(part)));
    type Page = { parts: { part: number }[]; items: number; next: string };
    const first = (await list(test, id, '?limit=3')).json<Page>();
    expect(first).toMatchObject({ parts: [{ part: 3 }, { part: 7 }, { part: 12 }], items: 122 });
    const second = (await list(test, id, `?limit=3&cursor=${first.next}`)).json<Page>();
    expect(second).toMatchObject({ parts: [{ part: 100, items: 100 }], items: 122, next: null });
    for (const query of ['?limit=0', '?limit=10001', '?cursor=x', '?more=1'])
      expect((await list(test, id, query)).json(), query).toMatchObject({ status: 400 });
  }));
