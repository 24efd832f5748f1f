/** Who sees what of batches; dry runs; what stands behind a day. */
import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
import { csv, itemsOf, withBatches, type BatchTest } from '../support/batches.js';

const counts = (test: BatchTest) =>
  test.query(
    `select (select count(*) from fairway.batches where source = 'upload') as batches, (select count(*) from fairway.attempts) as attempts,
       (select count(*) from fairway.parts) as parts, (select count(*) from fairway.segments) as segments,
       (select count(*) from fairway.batch_errors) as errors, (select count(*) from fairway.lanes) as lanes,
       (select revision from fairway.head) as head`,
  );

test('batches are listed, the newest first, by state, key and time, page by page', () =>
  withBatches(async (test) => {
    for (let count = 1; count <= 5; count++) await test.post(csv(itemsOf(count)), { key: `k${count}` });
    await test.post(csv(itemsOf(1, 0)), { key: 'bad' });
    const list = async (query: string) =>
      (await test.server.inject({ url: `/batches${query}` })).json<{
        batches: { key: string }[];
        next: string | null;
      }>();
    const keys = async (query: string) => (await list(query)).batches.map(({ key }) => key);
    expect(await keys('?state=published')).toEqual(['k5', 'k4', 'k3', 'k2', 'k1', null]);
    expect(await keys('?state=rejected')).toEqual(['bad']);
    expect(await keys('?key=k2')).toEqual(['k2']);
    const page = await list('?limit=4');
    expect(page.batches.map(({ key }) => key)).toEqual(['bad', 'k5', 'k4', 'k3']);
    expect(await keys(`?limit=4&cursor=${page.next}`)).toEqual(['k2', 'k1', null]);
    expect((await list(`?limit=4&cursor=${page.next}`)).next).toBeNull();
    const now = encodeURIComponent(new Date().toISOString());
    expect(await keys(`?since=${now}`)).toEqual([]);
    expect(await keys(`?until=${now}`)).toHaveLength(7);
    for (const bad of [
      '?since=yesterday',
      '?cursor=7',
      '?state=x',
      '?limit=0',
      '?since=2022-02-30T99:00:00Z',
    ])
      expect((await test.server.inject({ url: `/batches${bad}` })).json(), bad).toMatchObject({
        status: 400,
      });
  }));

test('a key writes with its scopes, and sees its own batches alone; admin sees all', () =>
  withBatches(
    async (test) => {
      const secret = async (...scopes: ('ingest' | 'withdraw' | 'admin')[]) =>
        (await createKey(test.database, scopes.join(), scopes)).secret;
      const [acme, other, reader, admin] = [
        await secret('ingest', 'withdraw'),
        await secret('ingest'),
        await secret('withdraw'),
        await secret('admin'),
      ];
      const ask = async (method: 'GET' | 'DELETE', url: string, secret?: string) =>
        (
          await test.server.inject({
            method,
            url,
            headers: secret ? { authorization: `Bearer ${secret}` } : {},
          })
        ).json<{
          status: number;
          batches: { id: string }[];
        }>();
      const body = csv(itemsOf(3));
      expect((await test.post(body)).json()).toMatchObject({ status: 401 });
      expect((await test.post(body, { secret: reader })).json()).toMatchObject({ status: 403 });
      const mine = (await test.post(body, { secret: acme, key: 'k' })).json<{ id: string }>();
      // The same key of another owner is another key, and another owner's content is nobody's warning.
      const theirs = (await test.post(csv(itemsOf(4)), { secret: other, key: 'k' })).json<{ id: string }>();
      expect(theirs.id).not.toBe(mine.id);
      expect((await test.post(body, { secret: other })).json()).not.toHaveProperty('warnings');
      const bad = (await test.post(csv(itemsOf(1, 0)), { secret: acme, key: 'bad' })).json<{
        batch: { id: string };
      }>();
      for (const url of [`/batches/${mine.id}`, `/batches/${bad.batch.id}/errors`]) {
        expect(await ask('GET', url, other), url).toMatchObject({ status: 404 });
        expect(await ask('GET', url), url).toMatchObject({ status: 401 });
        expect(await ask('GET', url, acme), url).not.toHaveProperty('status');
        expect(await ask('GET', url, admin), url).not.toHaveProperty('status');
      }
      expect((await ask('GET', '/batches', acme)).batches.map(({ id }) => id)).toEqual([
        bad.batch.id,
        mine.id,
      ]);
      expect((await ask('GET', '/batches', admin)).batches).toHaveLength(5);
      expect(await ask('DELETE', `/batches/${mine.id}`, other)).toMatchObject({ status: 403 });
      expect(await ask('DELETE', `/batches/${theirs.id}`, acme)).toMatchObject({ status: 404 });
      expect((await test.post(body, { secret: acme, query: `?replaces=${theirs.id}` })).json()).toMatchObject(
        { status: 404 },
      );
      expect(await ask('DELETE', `/batches/${mine.id}`, acme)).toMatchObject({ state: 'withdrawn' });
      expect(await ask('DELETE', `/batches/${theirs.id}`, admin)).toMatchObject({ state: 'withdrawn' });
    },
    { writes: 'keys' },
  ));

test('a dry run gives the same verdict, says what it touches and moves, and keeps nothing', () =>
  withBatches(async (test) => {
    const { id } = (await test.post(csv(itemsOf(4, 100)))).json<{ id: string }>();
    await test.post(csv(itemsOf(4, 200)));
    const before = [await counts(test), await test.query('select * from fairway.batches order by id')];
    const checked = await test.post(csv([...itemsOf(8, 300), ...itemsOf(1, 5, '2022-01-02')]), {
      query: '?dry_run=true',
      key: 'k',
    });
    expect(checked.statusCode).toBe(200);
    expect(checked.json()).toEqual({
      dry_run: true,
      items: 9,
      lanes: 1,
      days: 2,
      lane_days: 2,
      lanes_compared: 1,
      moves: [{ orig_code: 'AAAAA', dest_code: 'BBBBB', day: '2022-01-01', before: 150, after: 225 }],
    });
    const replacing = await test.post(csv(itemsOf(4, 300)), { query: `?dry_run=true&replaces=${id}` });
    expect(replacing.json()).toMatchObject({ moves: [{ before: 150, after: 250 }] });
    const bad = await test.post(csv(itemsOf(2, 0)), { query: '?dry_run=true' });
    expect(bad.json()).toMatchObject({ status: 422, error_total: 2, error_counts: { price_outside: 2 } });
    expect(bad.json()).not.toHaveProperty('errors_url');
    expect([await counts(test), await test.query('select * from fairway.batches order by id')]).toEqual(
      before,
    );
  }));

test('sources name the batches behind a day: averages for the owner, none below three items for others', () =>
  withBatches(
    async (test) => {
      const keys = {
        acme: (await createKey(test.database, 'acme', ['ingest'])).secret,
        other: (await createKey(test.database, 'other', ['ingest'])).secret,
        admin: (await createKey(test.database, 'admin', ['admin'])).secret,
      };
      const first = (await test.post(csv(itemsOf(2, 100)), { secret: keys.acme, key: 'a' })).json<{
        id: string;
      }>();
      const second = (await test.post(csv(itemsOf(3, 200)), { secret: keys.other })).json<{ id: string }>();
      const gone = (await test.post(csv(itemsOf(9, 1)), { secret: keys.acme, key: 'gone' })).json<{
        id: string;
      }>();
      await test.server.inject({
        method: 'DELETE',
        url: `/batches/${gone.id}`,
        headers: { authorization: `Bearer ${keys.admin}` },
      });
      const ask = (secret: string, query = 'origin=asia&destination=BBBBB&day=2022-01-01') =>
        test.server.inject({
          url: `/rates/sources?${query}`,
          headers: { authorization: `Bearer ${secret}` },
        });
      expect((await ask(keys.acme)).json()).toMatchObject({
        items: 5,
        sources: [{ batch: first.id, key: 'a', items: 2, average: 100 }],
        revision: 5,
      });
      expect((await ask(keys.admin)).json()).toMatchObject({
        items: 5,
        sources: [
          { batch: first.id, items: 2, average: null },
          { batch: second.id, items: 3, average: 200 },
        ],
      });
      const asCsv = await ask(keys.admin, 'origin=asia&destination=BBBBB&day=2022-01-01&format=csv');
      expect(asCsv.headers).toMatchObject({
        'content-type': 'text/csv; charset=utf-8',
        'rates-revision': '5',
      });
      expect(asCsv.body.split('\r\n').map((line) => line.replace(/\d{4}-.*Z/, 'T'))).toEqual([
        'batch,key,published_at,items,average',
        `${first.id},a,T,2,`,
        `${second.id},,T,3,200`,
        '',
      ]);
      expect((await ask(keys.acme, 'origin=asia&destination=BBBBB&day=2022-01-02')).json()).toMatchObject({
        items: 0,
        sources: [],
      });
      expect((await ask(keys.acme, 'origin=asja&destination=BBBBB&day=2022-01-01')).json()).toMatchObject({
        status: 404,
      });
      expect((await ask(keys.acme, 'origin=asia&destination=BBBBB&day=2022-02-30')).json()).toMatchObject({
        status: 400,
      });
      expect(
        (await test.server.inject({ url: '/rates/sources?origin=a&destination=b&day=2022-01-01' })).json(),
      ).toMatchObject({ status: 401 });
    },
    { writes: 'keys' },
  ));
