import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
import type { Server } from '../../src/http/server.js';
import { importContent } from '../../src/ingest/import.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withServer } from '../support/server.js';

const imported = (
  work: (server: Server, test: Parameters<typeof withServer>[0]) => Promise<void>,
  options: Parameters<typeof withServer>[2] = {},
) =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await withServer(test, (server) => work(server, test), options);
  });

const get = async (server: Server, url: string) => {
  const answer = await server.inject({ url });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const put = async (server: Server, url: string, payload: object, headers: Record<string, string> = {}) => {
  const answer = await server.inject({ method: 'PUT', url, payload, headers });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
};
const day = 'date_from=2021-01-01&date_to=2021-01-01';

test('ports and regions are listed, searched, and shown one by one', () =>
  imported(async (server) => {
    expect((await get(server, '/ports')).body).toEqual({
      ports: [
        { code: 'AAAAA', name: 'Aaa', parent: 'asia' },
        { code: 'BBBBB', name: 'Bbb', parent: 'baltic' },
        { code: 'CCCCC', name: 'Ccc', parent: 'europe' },
      ],
      revision: 1,
    });
    expect((await get(server, '/ports?region=europe&limit=1')).body).toMatchObject({
      ports: [{ code: 'BBBBB' }],
    });
    expect((await get(server, '/ports?search=c')).body).toMatchObject({ ports: [{ code: 'CCCCC' }] });
    expect((await get(server, '/regions?search=ba')).body).toEqual({
      regions: [{ slug: 'baltic', name: 'Baltic', parent: 'europe' }],
      revision: 1,
    });
    expect((await get(server, '/regions?view=tree')).body['regions']).toEqual([
      { slug: 'asia', name: 'Asia', regions: [], ports: [{ code: 'AAAAA', name: 'Aaa' }] },
      {
        slug: 'europe',
        name: 'Europe',
        regions: [{ slug: 'baltic', name: 'Baltic', regions: [], ports: [{ code: 'BBBBB', name: 'Bbb' }] }],
        ports: [{ code: 'CCCCC', name: 'Ccc' }],
      },
    ]);
    expect((await get(server, '/regions/europe')).body).toMatchObject({ parent: null, ports: 2 });
    expect(await get(server, '/ports/AAAAB')).toMatchObject({
      status: 404,
      body: { code: 'place_unknown', errors: [{ suggestions: [{ code: 'AAAAA' }] }] },
    });
    expect((await get(server, '/ports?region=eur0pe')).status).toBe(404);
    for (const bad of [
      '/ports?limit=0',
      '/ports?limit=x',
      '/regions?view=round',
      '/regions?view=tree&limit=1',
      '/ports?format=csv',
      '/ports/AAAAA?x=1',
      '/regions?serch=a',
      '/regions/asia?x=1',
    ])
      expect((await get(server, bad)).body, bad).toMatchObject({ code: 'invalid_parameter' });
  }));

test('ends are ports or regions, mixed freely with the old form; unknown ones are a 404 with near matches', () =>
  imported(async (server) => {
    const price = { rates: [{ count: 3, day: '2021-01-01', price: 601 / 3 }] };
    for (const ends of [
      'origin=asia&destination=europe',
      'origin=AAAAA&destination=baltic',
      'orig_code=AAAAA&destination=europe',
      'origin=asia&dest_code=BBBBB',
    ])
      expect((await get(server, `/rates?${day}&${ends}`)).body, ends).toEqual(price);
    expect(await get(server, `/rates?${day}&origin=baltik&destination=nowhere`)).toMatchObject({
      status: 404,
      body: {
        code: 'place_unknown',
        errors: [
          {
            parameter: 'origin',
            value: 'baltik',
            suggestions: [{ kind: 'region', code: 'baltic', name: 'Baltic' }],
          },
          { parameter: 'destination', value: 'nowhere', suggestions: [] },
        ],
      },
    });
    // The old form stays as recorded: a port that nobody knows has no items.
    expect((await get(server, `/rates?${day}&orig_code=ZZZZZ&destination=europe`)).status).toBe(200);
    expect(await get(server, `/rates?${day}&origin=asia&orig_code=AAAAA&dest_code=BBBBB`)).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'origin' }] },
    });
  }));

test('a place is made and moved, each a revision; the same once more is none', () =>
  imported(async (server) => {
    expect(await put(server, '/regions/gulf', { name: 'Gulf', parent: 'baltic' })).toEqual({
      status: 201,
      body: { slug: 'gulf', name: 'Gulf', parent: 'baltic', revision: 2 },
    });
    expect((await put(server, '/ports/CCCCC', { name: 'Ccc', parent: 'gulf' })).body).toMatchObject({
      revision: 3,
    });
    const again = await put(server, '/ports/CCCCC', { name: 'Ccc', parent: 'gulf' });
    expect(again).toMatchObject({ status: 200, body: { revision: 3 } });
    expect((await get(server, '/ports?region=baltic')).body).toMatchObject({
      ports: [{ code: 'BBBBB' }, { code: 'CCCCC' }],
      revision: 3,
    });
    const answer = await server.inject({ url: `/rates?${day}&origin=asia&destination=gulf` });
    expect(answer.headers['rates-revision']).toBe('3');
    expect(answer.json()).toEqual({ rates: [{ count: null, day: '2021-01-01', price: null }] });
  }));

test('a place that cannot be so is refused with every fault, and nothing has changed', () =>
  imported(async (server, test) => {
    const before = await test.query('select * from fairway.places order by kind, code');
    const refused: [string, object, number, string][] = [
      ['/ports/DDDDD', { name: 'Ddd', parent: 'nowhere' }, 422, 'parent'],
      ['/ports/ddddd', { name: 'Ddd', parent: 'asia' }, 422, 'code'],
      ['/ports/DDDDD', { name: ' Ddd', parent: 'asia' }, 422, 'name'],
      ['/ports/DDDDD', { name: 'D\u0000d', parent: 'asia' }, 422, 'name'],
      ['/ports/DDDDD', { name: 'Ddd', parent: null }, 400, 'parent'],
      ['/ports/DDDDD', { name: 'Ddd' }, 400, 'parent'],
      ['/ports/DDDDD', { name: 'Ddd', parent: 'asia', more: 1 }, 400, 'more'],
      ['/regions/europe', { name: 'Europe', parent: 'europe' }, 422, 'parent'],
      ['/regions/europe', { name: 'Europe', parent: 'baltic' }, 422, 'parent'],
      ['/regions/Europe', { name: 'Europe', parent: null }, 422, 'slug'],
    ];
    for (const [url, body, status, parameter] of refused) {
      const answer = await put(server, url, body);
      expect(answer.status, `${url} ${JSON.stringify(body)}`).toBe(status);
      expect(answer.body['errors'], url).toMatchObject([{ parameter }]);
    }
    expect(await test.query('select * from fairway.places order by kind, code')).toEqual(before);
    expect(await test.query('select revision from fairway.head')).toEqual([{ revision: '1' }]);
  }));

test('two moves at once that would make a cycle together: one is refused', () =>
  imported(async (server) => {
    await put(server, '/regions/x', { name: 'X', parent: null });
    await put(server, '/regions/y', { name: 'Y', parent: null });
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all([
        put(server, '/regions/x', { name: 'X', parent: 'y' }),
        put(server, '/regions/y', { name: 'Y', parent: 'x' }),
      ]);
      expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 422]);
      await put(server, '/regions/x', { name: 'X', parent: null });
      await put(server, '/regions/y', { name: 'Y', parent: null });
    }
  }));

test('with keys, only an admin changes places, and reading needs none', () =>
  imported(
    async (server, { database }) => {
      const body = { name: 'Ccc', parent: 'baltic' };
      const asked = await server.inject({ method: 'PUT', url: '/ports/CCCCC', payload: body });
      expect(asked.statusCode).toBe(401);
      expect(asked.headers['www-authenticate']).toMatch(/^Bearer/);
      const bearer = async (scope: 'ingest' | 'admin') => ({
        authorization: `Bearer ${(await createKey(database, scope, [scope])).secret}`,
      });
      expect((await put(server, '/ports/CCCCC', body, await bearer('ingest'))).status).toBe(403);
      expect((await get(server, '/ports/CCCCC')).body).toMatchObject({ parent: 'europe', revision: 1 });
      expect((await put(server, '/ports/CCCCC', body, await bearer('admin'))).status).toBe(200);
      expect((await get(server, '/ports/CCCCC')).body).toMatchObject({ parent: 'baltic', revision: 2 });
    },
    { writes: 'keys' },
  ));
