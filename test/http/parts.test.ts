/** Batches in parts over HTTP: opening, parts and their verdicts, the list, publishing, giving up, who may. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
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
      const bad = await put(test, id, 1, csv([...itemsOf(6), ...itemsOf(150, '1.5')]));
      expect(bad.json()).toMatchObject({
        status: 422,
        code: 'part_rejected',
        error_total: 150,
        error_counts: { price_invalid: 150 },
        errors: { length: 100, 0: { line: 8, column: 24, field: 'price', value: '1.5' } },
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

test('a key opens one batch, whatever has become of it, and is of one kind', () =>
  withBatches(async (test) => {
    const first = await open(test, { key: 'k' });
    const again = await open(test, { key: 'k' });
    expect([first.statusCode, again.statusCode]).toEqual([201, 200]);
    const { id } = first.json<{ id: string }>();
    expect(again.json()).toMatchObject({ id, key: 'k', state: 'loading' });
    expect((await test.post(csv(itemsOf(3)), { key: 'k' })).json()).toMatchObject({
      status: 409,
      code: 'key_conflict',
      batch: id,
    });
    await put(test, id, 1, csv(itemsOf(3)));
    await publish(test, id, 1, 3);
    expect((await open(test, { key: 'k' })).json()).toMatchObject({ id, state: 'published', items: 3 });
    expect((await test.post(csv(itemsOf(3)), { key: 'k' })).json()).toMatchObject({ code: 'key_conflict' });
    await test.post(csv(itemsOf(3)), { key: 'whole' });
    await test.post(csv(itemsOf(3, 0)), { key: 'bad' });
    for (const key of ['whole', 'bad'])
      expect((await open(test, { key })).json()).toMatchObject({ status: 409, code: 'key_conflict' });
    expect((await open(test)).json()).not.toMatchObject({ id: (await open(test)).json<{ id: string }>().id });
  }));

test('what opens a batch is told from a batch, and must be right', () =>
  withBatches(async (test) => {
    const whole = { headers: { 'content-type': 'application/json' } };
    const item = '{"orig_code":"AAAAA","dest_code":"BBBBB","day":"2022-01-01","price":1}';
    for (const body of [`[${item}]`, ` {"prices":[${item}]}`, `{"prices":[${`${item},`.repeat(99)}${item}]}`])
      expect((await test.post(body, whole)).json()).toMatchObject({ state: 'published', parts: false });
    for (const body of ['{"items":[]}', '{"parts":tr', '']) {
      expect((await test.post(body, whole)).json(), body).toMatchObject({ code: 'batch_rejected' });
    }
    for (const [body, parameter] of [
      [{ parts: false }, 'parts'],
      [{ parts: true, format: 'xml' }, 'format'],
      [{ parts: true, items: 3 }, 'items'],
    ] as const) {
      const answer = (await open(test, { body })).json<{ errors: { parameter: string }[] }>();
      expect(answer).toMatchObject({ status: 400, code: 'invalid_parameter' });
      expect(answer.errors[0]?.parameter).toBe(parameter);
    }
    expect((await open(test, { query: '?dry_run=true' })).json()).toMatchObject({
      errors: [{ parameter: 'dry_run' }],
    });
    expect((await open(test, { query: '?replaces=999' })).json()).toMatchObject({ code: 'batch_unknown' });
    expect((await test.query('select from fairway.batches where in_parts')).length).toBe(0);
    expect((await test.server.inject({ url: '/batches?state=loading' })).json()).toMatchObject({
      batches: [],
    });
    const id = await opened(test);
    expect((await test.server.inject({ url: '/batches?state=loading' })).json()).toMatchObject({
      batches: [{ id, parts: true }],
    });
  }));

test('one revision withdraws the batch that is replaced; where that has gone, the batch stays open', () =>
  withBatches(async (test) => {
    const old = (await test.post(csv(itemsOf(4)))).json<{ id: string }>().id;
    const id = await opened(test, 'k', `?replaces=${old}`);
    const rival = await opened(test, 'rival', `?replaces=${old}`);
    for (const batch of [id, rival]) await put(test, batch, 1, csv(itemsOf(7)));
    expect((await open(test, { key: 'k' })).json()).toMatchObject({ code: 'key_conflict' });
    expect((await publish(test, id, 1, 7)).json()).toMatchObject({
      state: 'published',
      replaces: old,
      revision: 3,
    });
    expect(await counted(test.server)).toBe(7);
    expect((await test.server.inject({ url: `/batches/${old}` })).json()).toMatchObject({
      state: 'withdrawn',
      withdrawn_revision: 3,
      replaced_by: id,
    });
    expect((await publish(test, rival, 1, 7)).json()).toMatchObject({ status: 409, code: 'batch_state' });
    expect((await test.server.inject({ url: `/batches/${rival}` })).json()).toMatchObject({
      state: 'loading',
    });
    expect((await open(test, { key: 'k', query: `?replaces=${old}` })).statusCode).toBe(200);
    // Withdrawn, it is still what its publishing answers.
    expect((await giveUp(test, id)).json()).toMatchObject({ state: 'withdrawn' });
    expect((await publish(test, id, 1, 7)).json()).toMatchObject({ id, state: 'withdrawn' });
  }));

test('parts that come too late, to nothing, or to a batch of one request are refused', () =>
  withBatches(async (test) => {
    const id = await opened(test);
    await put(test, id, 1, csv(itemsOf(3)));
    await publish(test, id, 1, 3);
    const whole = (await test.post(csv(itemsOf(3)))).json<{ id: string }>().id;
    for (const [batch, body] of [
      [id, csv(itemsOf(4))],
      [id, csv(itemsOf(3))],
      [whole, csv(itemsOf(3))],
    ] as const)
      expect((await put(test, batch, 1, body)).json()).toMatchObject({ status: 409, code: 'batch_state' });
    expect((await list(test, whole)).json()).toMatchObject({ code: 'batch_state' });
    expect((await publish(test, whole, 1, 3)).json()).toMatchObject({ code: 'batch_state' });
    for (const batch of ['999', 'x', '0'])
      for (const answer of [
        await put(test, batch, 1, csv(itemsOf(3))),
        await list(test, batch),
        await publish(test, batch, 1, 3),
      ])
        expect(answer.json(), batch).toMatchObject({ status: 404, code: 'batch_unknown' });
    expect(await counted(test.server)).toBe(6);
  }));

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

test('a batch in parts is its owner’s: others find nothing, and admin does all', () =>
  withBatches(
    async (test) => {
      const sender = async (...scopes: ('ingest' | 'withdraw' | 'admin')[]) => ({
        server: test.server,
        secret: (await createKey(test.database, scopes.join(), scopes)).secret,
      });
      const [acme, other, reader, admin] = [
        await sender('ingest', 'withdraw'),
        await sender('ingest', 'withdraw'),
        await sender('withdraw'),
        await sender('admin'),
      ];
      const id = await opened(acme, 'k');
      expect(await opened(other, 'k')).not.toBe(id);
      const body = csv(itemsOf(3));
      await put(acme, id, 1, body);
      const all = async (who: { server: typeof test.server; secret?: string }) => [
        (await put(who, id, 2, body)).statusCode,
        (await put(who, id, 1, body)).statusCode,
        (await list(who, id)).statusCode,
        (await publish(who, id, 9, 9)).statusCode,
      ];
      expect(await all({ server: test.server })).toEqual([401, 401, 401, 401]);
      expect(await all(reader)).toEqual([403, 403, 403, 403]);
      expect((await open(reader)).statusCode).toBe(403);
      expect(await all(other)).toEqual([404, 404, 404, 404]);
      expect((await giveUp(other, id)).statusCode).toBe(404);
      expect(await all(admin)).toEqual([201, 200, 200, 409]);
      expect((await publish(acme, id, 2, 6)).json()).toMatchObject({ state: 'published' });
    },
    { writes: 'keys' },
  ));

test('a process that was told to stop opens nothing and takes no part', () =>
  withBatches(
    async (test) => {
      expect((await open(test)).json()).toMatchObject({ code: 'stopping' });
      expect((await put(test, '1', 1, csv(itemsOf(3)))).json()).toMatchObject({ code: 'stopping' });
    },
    { lifecycle: { stopping: true } },
  ));
