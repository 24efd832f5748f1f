/** Batches in parts over HTTP: what opens one, whose it is, what it replaces, when it takes no more parts. */
import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
import { csv, itemsOf, withBatches } from '../support/batches.js';
import { counted, giveUp, list, open, opened, publish, put } from '../support/parts.js';

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
