import { randomBytes } from 'node:crypto';
import { createGzip, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { csv, itemsOf, withBatches, type BatchTest } from '../support/batches.js';

const question = '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB';
const rate = async ({ server }: BatchTest): Promise<unknown> =>
  (await server.inject({ url: question })).json<{ rates: [{ count: unknown; price: unknown }] }>().rates[0];
const counts = (test: BatchTest) =>
  test.query(
    `select (select count(*) from fairway.batches where source = 'upload') as batches, (select count(*) from fairway.attempts) as attempts,
       (select count(*) from fairway.parts) as parts, (select count(*) from fairway.segments) as segments,
       (select count(*) from fairway.batch_errors) as errors, (select count(*) from fairway.lanes) as lanes,
       (select revision from fairway.head) as head`,
  );

test('a batch is published with its revision, and rates have it at once', () =>
  withBatches(async (test) => {
    const { server } = test;
    const answer = await test.post(csv(itemsOf(3, 120)));
    expect(answer.json()).toMatchObject({
      state: 'published',
      items: 3,
      lanes: 1,
      revision: 2,
      key: null,
      format: 'csv',
      errors: 0,
      error_counts: {},
    });
    expect(answer.json()).not.toHaveProperty('warnings');
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['rates-revision']).toBe('2');
    expect(await rate(test)).toMatchObject({ count: 3, price: 120 });
    expect((await server.inject({ url: answer.headers.location as string })).json()).toEqual(answer.json());
  }));

test('NDJSON, JSON and gzip say the same; a declared count is checked', () =>
  withBatches(async (test) => {
    const objects = itemsOf(3).map(([orig_code, dest_code, day, price]) => ({
      orig_code,
      dest_code,
      day,
      price,
    }));
    const as = (type: string, more: Record<string, string> = {}) => ({
      headers: { 'content-type': type, ...more },
    });
    const lines = objects.map((item) => `${JSON.stringify(item)}\n`).join('');
    const answers = [
      await test.post(lines, as('application/x-ndjson')),
      await test.post(JSON.stringify(objects), as('application/json')),
      await test.post(JSON.stringify({ prices: objects }), as('application/json; charset=utf-8')),
      await test.post(gzipSync(csv(itemsOf(3))), as('text/csv', { 'content-encoding': 'gzip' })),
      await test.post(csv(itemsOf(3)), as('text/csv', { 'fairway-items': '3' })),
    ];
    expect(answers.map((answer) => [answer.statusCode, answer.json<{ items: number }>().items])).toEqual(
      answers.map(() => [201, 3]),
    );
    const differs = await test.post(csv(itemsOf(3)), as('text/csv', { 'fairway-items': '4' }));
    expect(differs.json()).toMatchObject({ status: 422, error_counts: { count_differs: 1 } });
    expect(await rate(test)).toMatchObject({ count: 15 });
  }));

test('a rejected batch says every fault, keeps them, and changes nothing that is visible', () =>
  withBatches(
    async (test) => {
      const bad = Array.from({ length: 150 }, (): [string, string, string, string] => [
        'AAAAA',
        'BBBBX',
        '2022-01-01',
        '1.5',
      ]);
      const answer = await test.post(csv([...itemsOf(40), ...bad]), { key: 'k' });
      expect(answer.statusCode).toBe(422);
      const problem = answer.json<{ errors: object[]; errors_url: string; batch: { id: string } }>();
      expect(problem).toMatchObject({
        code: 'batch_rejected',
        error_total: 300,
        error_counts: { port_unknown: 150, price_invalid: 150 },
        batch: { state: 'rejected', errors: 300, key: 'k', revision: null },
      });
      expect(problem.errors).toHaveLength(100);
      expect(problem.errors[0]).toMatchObject({ line: 42, column: 7, code: 'port_unknown', value: 'BBBBX' });
      // Two parts of ten items had been loaded before the first fault.
      expect(await counts(test)).toMatchObject([{ segments: '0', parts: '0', errors: '300', head: '1' }]);

      const page = (query: string) => test.server.inject({ url: `${problem.errors_url}${query}` });
      const first = (await page('?limit=200')).json<{ errors: object[]; next: string }>();
      expect(first.errors).toHaveLength(200);
      const rest = (await page(`?limit=200&cursor=${first.next}`)).json<{ errors: object[]; next: null }>();
      expect(rest.errors).toHaveLength(100);
      expect(rest.next).toBeNull();
      expect([...first.errors, ...rest.errors].slice(0, 100)).toEqual(problem.errors);
      const asCsv = await page('?format=csv');
      expect(asCsv.headers['content-type']).toMatch(/^text\/csv/);
      expect(asCsv.body.split('\r\n')).toHaveLength(302);
      const accepting = async (accept: string, query = '') => {
        const { headers } = await test.server.inject({
          url: `${problem.errors_url}${query}`,
          headers: { accept },
        });
        return String(headers['content-type']).split(';')[0];
      };
      expect(await accepting('text/html, text/csv;q=0.9, */*;q=0.1')).toBe('text/csv');
      expect(await accepting('text/csv;q=0.1, application/json')).toBe('application/json');
      expect(await accepting('text/csv', '?format=json')).toBe('application/json');
      expect(asCsv.body).toMatch(/^line,column,field,code,message,value\r\n42,7,dest_code,port_unknown,/);
    },
    { itemsPerPart: 10 },
  ));

test('what cannot be taken is refused with its reason, and leaves nothing', () =>
  withBatches(async (test) => {
    const before = await counts(test);
    const refusals: [number, string, Parameters<BatchTest['post']>][] = [
      [415, 'unsupported_media_type', ['x', { headers: { 'content-type': 'text/xml' } }]],
      [415, 'unsupported_media_type', ['x', { headers: { 'content-type': 'text/csv; charset=utf-16' } }]],
      [415, 'unsupported_media_type', ['x', { headers: { 'content-encoding': 'br' } }]],
      [400, 'body_unreadable', ['no gzip', { headers: { 'content-encoding': 'gzip' } }]],
      [
        400,
        'body_unreadable',
        [gzipSync(csv(itemsOf(9))).subarray(0, 40), { headers: { 'content-encoding': 'gzip' } }],
      ],
      [400, 'invalid_parameter', [csv(itemsOf(3)), { query: '?dryrun=true' }]],
      [400, 'invalid_parameter', [csv(itemsOf(3)), { query: '?replaces=x' }]],
      [400, 'invalid_parameter', [csv(itemsOf(3)), { headers: { 'fairway-items': '1e3' } }]],
      [400, 'invalid_parameter', [csv(itemsOf(3)), { key: 'x'.repeat(201) }]],
      [404, 'batch_unknown', [csv(itemsOf(3)), { query: '?replaces=99' }]],
    ];
    for (const [status, code, given] of refusals) {
      expect((await test.post(...given)).json(), JSON.stringify(given[1])).toMatchObject({ status, code });
    }
    expect(
      (await test.post('x', { headers: { 'content-type': 'text/xml' } })).json<{ detail: string }>().detail,
    ).toContain('text/csv');
    expect(await counts(test)).toEqual(before);
  }));

test('a small body that unpacks to a large one is refused, by its ratio and by its size', () =>
  withBatches(
    async (test) => {
      const headers = { 'content-encoding': 'gzip' };
      const line = 'AAAAA,BBBBB,2022-01-01,100\n';
      const bomb = gzipSync(`orig_code,dest_code,day,price\n${line.repeat((12 << 20) / line.length)}`);
      expect(bomb.length).toBeLessThan(100_000);
      const answer = await test.post(bomb, { headers });
      expect(answer.json()).toMatchObject({
        status: 413,
        detail: expect.stringContaining('200 times') as string,
      });
      const large = createGzip();
      for (let part = 0; part < 16; part++) large.write(randomBytes(1 << 20));
      large.end();
      expect((await test.post(large, { headers })).json()).toMatchObject({
        status: 413,
        detail: expect.stringContaining('larger than 14 MB') as string,
      });
      expect(await counts(test)).toMatchObject([{ batches: '0', segments: '0', attempts: '1' }]);
    },
    { limits: { decodedBytes: 14 << 20 } },
  ));

test('the same key and content is the same batch; other content is refused; a rejected one may be corrected', () =>
  withBatches(async (test) => {
    const body = csv(itemsOf(3));
    const first = await test.post(body, { key: 'k' });
    const again = await test.post(body, { key: 'k' });
    expect(again.statusCode).toBe(200);
    expect(again.json()).toEqual(first.json());
    expect((await test.post(csv(itemsOf(4)), { key: 'k' })).json()).toMatchObject({
      status: 409,
      code: 'key_conflict',
    });
    expect(await rate(test)).toMatchObject({ count: 3 });

    const bad = csv(itemsOf(3, 0));
    const rejected = await test.post(bad, { key: 'r' });
    expect(rejected.json()).toMatchObject({ status: 422, error_total: 3 });
    const repeated = await test.post(bad, { key: 'r' });
    expect({ ...repeated.json<object>(), request_id: 0 }).toEqual({
      ...rejected.json<object>(),
      request_id: 0,
    });
    const worse = await test.post(csv(itemsOf(5, 0)), { key: 'r' });
    expect(worse.json()).toMatchObject({ status: 422, error_total: 5, batch: { errors: 5 } });
    const corrected = await test.post(csv(itemsOf(2)), { key: 'r' });
    expect(corrected.json()).toMatchObject({
      id: rejected.json<{ batch: { id: string } }>().batch.id,
      state: 'published',
      errors: 0,
      items: 2,
    });
    expect((await test.post(bad, { key: 'r' })).json()).toMatchObject({ code: 'key_conflict' });
    expect(await rate(test)).toMatchObject({ count: 5 });
    expect(await counts(test)).toMatchObject([{ batches: '2', errors: '0' }]);
  }));

test('a batch rejected for its declared count is published with the right one, under the same key', () =>
  withBatches(async (test) => {
    const send = (count: string) =>
      test.post(csv(itemsOf(3)), { key: 'k', headers: { 'fairway-items': count } });
    const rejected = (await send('4')).json<{ batch: { id: string } }>();
    expect(rejected).toMatchObject({ error_counts: { count_differs: 1 }, errors: [{ value: '4' }] });
    expect((await send('4')).json()).toMatchObject({ status: 422, errors: [{ value: '4' }] });
    expect((await send('5')).json()).toMatchObject({ status: 422, error_total: 1, errors: [{ value: '5' }] });
    const published = await send('3');
    expect(published.json()).toMatchObject({
      id: rejected.batch.id,
      state: 'published',
      items: 3,
      errors: 0,
    });
    expect((await send('3')).json()).toEqual(published.json());
    expect(await counts(test)).toMatchObject([{ batches: '1', errors: '0' }]);
  }));

test('without a key the same content is published again, with a warning that names the first', () =>
  withBatches(async (test) => {
    const body = csv(itemsOf(3));
    const first = (await test.post(body)).json<{ id: string }>();
    const second = await test.post(body);
    expect(second.statusCode).toBe(201);
    expect(second.json()).toMatchObject({ warnings: [{ code: 'same_content', batch: first.id }] });
    await test.query("update fairway.batches set published_at = published_at - interval '25 hours'");
    expect((await test.post(body)).json()).not.toHaveProperty('warnings');
    expect(await rate(test)).toMatchObject({ count: 9 });
  }));

test('withdrawing takes a batch out in a revision of its own; a repeat answers the same', () =>
  withBatches(async (test) => {
    const { id } = (await test.post(csv(itemsOf(3)))).json<{ id: string }>();
    const withdraw = (id: string) => test.server.inject({ method: 'DELETE', url: `/batches/${id}` });
    const answer = await withdraw(id);
    expect(answer.json()).toMatchObject({
      id,
      state: 'withdrawn',
      revision: 2,
      withdrawn_revision: 3,
      replaced_by: null,
    });
    expect(await rate(test)).toMatchObject({ count: null });
    const again = await withdraw(id);
    expect([again.statusCode, again.json()]).toEqual([200, answer.json()]);
    expect([await counts(test), again.headers]).toMatchObject([[{ head: '3' }], { 'rates-revision': '3' }]);
    await test.post(csv(itemsOf(3, 0)), { key: 'bad' });
    expect((await withdraw(String(Number(id) + 1))).json()).toMatchObject({
      status: 409,
      code: 'batch_state',
    });
    expect((await withdraw('99')).json()).toMatchObject({ status: 404, code: 'batch_unknown' });
    expect((await withdraw('x')).json()).toMatchObject({ status: 404, code: 'batch_unknown' });
    expect(test.events).toContainEqual({ kind: 'batch-withdrawn', batch: id, revision: 3 });
  }));

test('a replacement is one revision: the new batch comes as the old one goes', () =>
  withBatches(async (test) => {
    const { id } = (await test.post(csv(itemsOf(3, 100)))).json<{ id: string }>();
    const body = csv(itemsOf(4, 200));
    const query = `?replaces=${id}`;
    const answer = await test.post(body, { key: 'new', query });
    expect(answer.json()).toMatchObject({ revision: 3, replaces: id });
    const next = answer.json<{ id: string }>().id;
    expect((await test.server.inject({ url: `/batches/${id}` })).json()).toMatchObject({
      state: 'withdrawn',
      withdrawn_revision: 3,
      replaced_by: next,
    });
    expect(await rate(test)).toMatchObject({ count: 4, price: 200 });
    // The repeat finds its verdict although what it replaced is gone; another request cannot replace it again.
    expect((await test.post(body, { key: 'new', query })).json()).toEqual(answer.json());
    expect((await test.post(body, { key: 'new' })).json()).toMatchObject({ code: 'key_conflict' });
    expect((await test.post(body, { key: 'other', query })).json()).toMatchObject({
      status: 409,
      code: 'batch_state',
    });
    expect(await rate(test)).toMatchObject({ count: 4 });
    expect(await counts(test)).toMatchObject([{ batches: '2' }]);
  }));

test('of many that replace one batch at once, one does; the others are told, and nothing of them stays', () =>
  withBatches(
    async (test) => {
      const { id } = (await test.post(csv(itemsOf(3)))).json<{ id: string }>();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, client) =>
          test.post(csv(itemsOf(4 + client)), { key: `k${client}`, query: `?replaces=${id}` }),
        ),
      );
      const codes = answers.map((answer) => answer.json<{ state?: string; code?: string }>());
      expect(
        codes.map(({ state, code }) => state ?? code).sort((a = '', b = '') => a.localeCompare(b)),
      ).toEqual([...Array<string>(7).fill('batch_state'), 'published']);
      const winner = answers.findIndex((answer) => answer.statusCode === 201);
      expect(await rate(test)).toMatchObject({ count: 4 + winner });
      expect(await counts(test)).toMatchObject([{ batches: '2', segments: '2', head: '3' }]);
    },
    { limits: { uploads: 8, admissionMilliseconds: 10_000 } },
  ));

test('a NUL character is a fault that can be told and kept', () =>
  withBatches(async (test) => {
    const answer = await test.post(csv([['AA\0AA', 'BBBBB', '2022-01-01', 1]]));
    expect(answer.json()).toMatchObject({ status: 422, error_counts: { nul_character: 1 } });
    const { errors_url } = answer.json<{ errors_url: string }>();
    expect((await test.server.inject({ url: errors_url })).json()).toMatchObject({ error_total: 1 });
  }));

test('a process that was told to stop takes no batch', () =>
  withBatches(
    async (test) => {
      const answer = await test.post(csv(itemsOf(3)));
      expect(answer.json()).toMatchObject({ status: 503, code: 'stopping' });
      expect(answer.headers['retry-after']).toBe('1');
    },
    { lifecycle: { stopping: true } },
  ));
