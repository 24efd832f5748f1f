/** GET /rates/changes and GET /revisions: a copy that applies the changes is what /rates says, for random histories. */
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { formatDay } from '../../src/days.js';
import type { Server } from '../../src/http/server.js';
import { putPlace } from '../../src/ingest/places.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { days, firstDay, history, horizonOf, moveHead, pastOf, ports, writePast } from '../support/past.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withServer } from '../support/server.js';

const seed = Number(process.env['FAIRWAY_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const quiet = (): void => undefined;
const lines = { accept: 'application/x-ndjson' };

interface Change {
  orig_code: string;
  dest_code: string;
  day: string;
  count: number | null;
  price: number | null;
}
interface ChangesPage {
  changes: Change[];
  since: number;
  revision: number;
  next: string | null;
}

/** A copy: what is known by lane and day, for days that have items. */
type Copy = Map<string, string>;

/** All that /rates says at a revision. */
async function copyAt(server: Server, revision: number): Promise<Copy> {
  const copy: Copy = new Map();
  const range = `date_from=${formatDay(firstDay)}&date_to=${formatDay(firstDay + days)}`;
  for (const origin of ports)
    for (const destination of ports) {
      const { body, headers } = await server.inject(
        `/rates?${range}&orig_code=${origin}&dest_code=${destination}&as_of=${revision}`,
      );
      expect(headers['rates-revision']).toBe(String(revision));
      for (const { day, count, price } of (JSON.parse(body) as { rates: Change[] }).rates)
        if (count !== null) copy.set(`${origin} ${destination} ${day}`, `${count} ${price}`);
    }
  return copy;
}

function apply(copy: Copy, { orig_code, dest_code, day, count, price }: Change): void {
  const key = `${orig_code} ${dest_code} ${day}`;
  const now = count === null ? undefined : `${count} ${price}`;
  // What did not move is not sent.
  expect(copy.get(key), key).not.toBe(now);
  if (now === undefined) copy.delete(key);
  else copy.set(key, now);
}

const isGone = (since: number, until: number, horizon: number): boolean =>
  (since !== 0 && since < horizon) || until < horizon;

async function applyPages(
  server: Server,
  copy: Copy,
  since: number,
  until: number,
  limit: number,
): Promise<void> {
  let next: string | null = '';
  for (let page = 0; next !== null; page++) {
    const place = page === 0 ? `until=${until}` : `cursor=${next}`;
    const answer = await server.inject(`/rates/changes?since=${since}&limit=${limit}&${place}`);
    expect(answer.statusCode, answer.body).toBe(200);
    const { changes, revision, ...rest } = JSON.parse(answer.body) as ChangesPage;
    expect([revision, answer.headers['rates-revision']]).toEqual([until, String(until)]);
    for (const change of changes) apply(copy, change);
    ({ next } = rest);
  }
}

async function applyLines(server: Server, copy: Copy, since: number, until: number): Promise<void> {
  const url = `/rates/changes?since=${since}&until=${until}`;
  const answer = await server.inject({ url, headers: lines });
  expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  const objects = answer.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Change);
  expect(objects.pop()).toEqual({ revision: until });
  for (const change of objects) apply(copy, change);
}

async function applyCsv(server: Server, copy: Copy, since: number, until: number): Promise<void> {
  const url = `/rates/changes?since=${since}&until=${until}&format=csv`;
  const { headers, body } = await server.inject({ url, headers: lines });
  expect(headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8', 'rates-revision': `${until}` });
  const [header, ...rows] = body.split('\r\n');
  expect([header, rows.pop()]).toEqual(['orig_code,dest_code,day,price,count', '']);
  for (const row of rows) {
    const [orig_code = '', dest_code = '', day = '', price, count] = row.split(',');
    const known = { price: price === '' ? null : Number(price), count: count === '0' ? null : Number(count) };
    apply(copy, { orig_code, dest_code, day, ...known });
  }
}

test(
  'a copy at one revision with the changes up to another is the copy at the other',
  { timeout: 120_000 },
  () =>
    withDatabase((test) =>
      withServer(
        test,
        async (server) => {
          const client = new pg.Client(test.url);
          await client.connect();
          let changed = 0;
          let gone = 0;
          try {
            await fc.assert(
              fc.asyncProperty(history, fc.nat(), fc.nat(), fc.nat(), async (steps, a, b, w) => {
                const past = pastOf(steps);
                await writePast(client, past);
                await moveHead(client, past.rollUps[w % Math.max(1, past.rollUps.length)] ?? 0);
                await rollUp(test.database, quiet);
                await moveHead(client, past.newest);
                const [since, until] = [a % (past.newest + 1), b % (past.newest + 1)].sort((x, y) => x - y);
                const [before, after] = [await copyAt(server, since ?? 0), await copyAt(server, until ?? 0)];
                // What is kept for the past alone goes: some of these changes can then no longer be told.
                if (w % 3 === 0) await purge(test.database, { historyDays: 0, rejectedDays: 0 }, quiet);
                if (isGone(since ?? 0, until ?? 0, await horizonOf(client))) {
                  const { statusCode, body } = await server.inject(
                    `/rates/changes?since=${since}&until=${until}`,
                  );
                  expect([statusCode, (JSON.parse(body) as { code: string }).code]).toEqual([
                    410,
                    'revision_gone',
                  ]);
                  gone++;
                  return;
                }
                const copies = [new Map(before), new Map(before), new Map(before)] as const;
                await applyPages(server, copies[0], since ?? 0, until ?? 0, 1 + (w % 5));
                await applyLines(server, copies[1], since ?? 0, until ?? 0);
                await applyCsv(server, copies[2], since ?? 0, until ?? 0);
                for (const copy of copies)
                  expect(Object.fromEntries(copy)).toEqual(Object.fromEntries(after));
                changed += after.size;
              }),
              { numRuns: 40, seed },
            );
          } finally {
            await client.end();
          }
          expect(changed).toBeGreaterThan(100);
          expect(gone).toBeGreaterThan(0);
        },
        { cacheBytes: 0 },
      ),
    ),
);

const items = (count: number, price: number, lane = 0): TestItem[] =>
  Array.from({ length: count }, (_, index): TestItem => [
    'AAAAA',
    `B${String(lane).padStart(4, '0')}`,
    firstDay + (index % 3),
    price,
  ]);

/** A database of a few revisions: published, a port made, replaced, withdrawn. */
async function fewRevisions(test: TestDatabase): Promise<void> {
  const { database } = test;
  const first = await publishItems(database, items(9, 100));
  await putPlace(database, { kind: 'region', code: 'north', name: 'North', parent: null }, quiet);
  const second = await publishItems(database, items(9, 200), [first.batch]);
  await withdraw(database, second.batch, quiet);
  await putPlace(database, { kind: 'region', code: 'north', name: 'The north', parent: null }, quiet);
}

test('revisions tell what they changed: batches with their days, places', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      await fewRevisions(test);
      const { json, headers } = await server.inject('/revisions?since=0');
      const answer = json<{ revisions: unknown[]; revision: number; next: string | null }>();
      const batch = (id: string, change: 'came' | 'went') => ({
        batch: id,
        change,
        items: 9,
        lanes: 1,
        first_day: formatDay(firstDay),
        last_day: formatDay(firstDay + 2),
      });
      const place = { kind: 'region', code: 'north', parent: null };
      expect(answer).toMatchObject({
        revision: 5,
        next: null,
        revisions: [
          { revision: 1, kind: 'published', batches: [batch('1', 'came')], places: [] },
          { revision: 2, kind: 'places', batches: [], places: [{ ...place, name: 'North', change: 'made' }] },
          { revision: 3, kind: 'replaced', batches: [batch('2', 'came'), batch('1', 'went')] },
          { revision: 4, kind: 'withdrawn', batches: [batch('2', 'went')] },
          { revision: 5, kind: 'places', places: [{ ...place, name: 'The north', change: 'changed' }] },
        ],
      });
      expect(headers['rates-revision']).toBe('5');
      // A page at a time, and all as lines, it is the same.
      const paged: unknown[] = [];
      for (let next: string | null = ''; next !== null;) {
        const url: string = `/revisions?limit=2${next === '' ? '' : `&cursor=${next}`}`;
        const page = (await server.inject(url)).json<typeof answer>();
        paged.push(...page.revisions);
        ({ next } = page);
      }
      expect(paged).toEqual(answer.revisions);
      const told = await server.inject({ url: '/revisions?since=2', headers: lines });
      const objects = told.body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect(objects).toEqual([...answer.revisions.slice(2), { revision: 5 }]);
      expect((await server.inject('/revisions?since=5')).json()).toEqual({
        revisions: [],
        revision: 5,
        next: null,
      });
      expect((await server.inject('/revisions?since=6')).json()).toMatchObject({
        code: 'invalid_parameter',
        errors: [{ parameter: 'since', value: '6' }],
      });
    }),
  ));

test('a page of changes ends with a lane, and the next keeps to the revision of the first', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const { database } = test;
      await publishItems(database, Array.from({ length: 100 }, (_, lane) => items(9, 100, lane)).flat());
      const first = (await server.inject('/rates/changes?since=0&limit=50')).json<ChangesPage>();
      expect(first).toMatchObject({ since: 0, revision: 1, changes: expect.any(Array) as Change[] });
      expect(first.changes.length % 3).toBe(0);
      expect(first.changes[0]).toMatchObject({ orig_code: 'AAAAA', count: 3, price: 100 });
      await publishItems(database, items(1, 7, 99));
      const rest = (await server.inject(`/rates/changes?since=0&cursor=${first.next}`)).json<ChangesPage>();
      expect(rest).toMatchObject({ revision: 1, next: null });
      expect(first.changes.length + rest.changes.length).toBe(300);
      // Of a lane beyond all that there may ever be: one that nobody was given, and no fault of ours.
      const beyond = Buffer.from('c1.999999999999999').toString('base64url');
      expect((await server.inject(`/rates/changes?since=0&cursor=${beyond}`)).json()).toMatchObject({
        changes: [],
        next: null,
      });
      expect((await server.inject('/rates/changes?since=1')).json()).toEqual({
        changes: [
          { orig_code: 'AAAAA', dest_code: 'B0099', day: formatDay(firstDay), count: 4, price: 76.75 },
        ],
        since: 1,
        revision: 2,
        next: null,
      });
    }),
  ));

test('of a day below three items no change but that of its count is told', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const { batch } = await publishItems(test.database, items(1, 100));
      await publishItems(test.database, items(1, 200), [batch]);
      expect((await server.inject('/rates/changes?since=1')).json()).toMatchObject({
        changes: [],
        revision: 2,
      });
      expect((await server.inject('/rates/changes?since=0')).json()).toMatchObject({
        changes: [{ count: 1, price: null }],
      });
    }),
  ));

test.each(['since=2', 'since=0&until=2', 'since=1&until=0', 'since=0&cursor=x', '', 'since=-1'])(
  'changes?%s is a 400 on a database of one revision',
  (query) =>
    withDatabase((test) =>
      withServer(test, async (server) => {
        await publishItems(test.database, items(1, 100));
        const answer = await server.inject(`/rates/changes?${query}`);
        expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'invalid_parameter']);
      }),
    ),
);

test('places, rates and sources name their revision, and can be asked as of one', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      await fewRevisions(test);
      const named = async (url: string): Promise<[number, unknown, unknown]> => {
        const { statusCode, headers, json } = await server.inject(url);
        return [statusCode, headers['rates-revision'], json()];
      };
      expect(await named('/regions/north')).toMatchObject([200, '5', { name: 'The north', revision: 5 }]);
      expect(await named('/regions/north?as_of=4')).toMatchObject([200, '4', { name: 'North', revision: 4 }]);
      expect(await named('/regions/north?as_of=1')).toMatchObject([404, '1', { code: 'place_unknown' }]);
      expect(await named('/regions?as_of=1')).toMatchObject([200, '1', { regions: [], revision: 1 }]);
      expect(await named('/ports?min_revision=5')).toMatchObject([200, '5', { ports: [] }]);
      expect(await named('/ports?min_revision=6')).toMatchObject([400, '5', { code: 'invalid_parameter' }]);
      for (const [code, name] of [
        ['AAAAA', 'A'],
        ['B0000', 'B'],
      ] as const)
        await putPlace(test.database, { kind: 'port', code, name, parent: 'north' }, quiet);
      const sources = `/rates/sources?origin=AAAAA&destination=B0000&day=${formatDay(firstDay)}`;
      expect(await named(sources)).toMatchObject([200, '7', { items: 0 }]);
      await publishItems(test.database, items(3, 50));
      expect(await named(`${sources}&as_of=8`)).toMatchObject([
        200,
        '8',
        { items: 1, sources: [{ batch: '3' }] },
      ]);
      expect(await named(`${sources}&as_of=7`)).toMatchObject([200, '7', { items: 0, sources: [] }]);
      expect(await named(`${sources}&as_of=6`)).toMatchObject([404, '6', { code: 'place_unknown' }]);
    }),
  ));
