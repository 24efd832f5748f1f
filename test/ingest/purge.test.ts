/** Purging: what goes, what stays, and in which order. */
import { expect, test } from 'vitest';
import { collect } from '../../src/ingest/collect.js';
import { purge, type Retention } from '../../src/ingest/retention/purge.js';
import { readStorage } from '../../src/ingest/retention/storage.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { rollUp } from '../../src/query/roll-up.js';
import { csv, itemsOf, withBatches, type BatchTest, type Item } from '../support/batches.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { begin, expireLeases, items, long, until, untilWaiting } from '../support/uploads.js';

const atOnce: Retention = { historyDays: 0, rejectedDays: 0 };
const purgeNow = ({ database, emit }: TestDatabase, retention: Partial<Retention> = {}): Promise<void> =>
  purge(database, { ...atOnce, ...retention }, emit);

const lane = (count: number, price: number): TestItem[] =>
  Array.from({ length: count }, (_, index) => ['AAAAA', 'BBBBB', 18_990 + (index % 3), price]);

/** Rows of a batch, the horizon, and whether the batch is marked. */
const stateOf = async ({ query }: TestDatabase, batch: string) =>
  (
    await query<{ segments: number; parts: number; horizon: string; purged: boolean; items: string }>(
      `select (select count(*)::integer from fairway.segments s where s.attempt = b.attempt) as segments,
         (select count(*)::integer from fairway.parts p where p.attempt = b.attempt) as parts,
         (select history_from from fairway.retention) as horizon, b.purged_at is not null as purged, b.items
       from fairway.batches b where b.id = $1`,
      [batch],
    )
  )[0];

const rate = async ({ server }: BatchTest): Promise<unknown> =>
  (
    await server.inject({
      url: '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB',
    })
  ).json<{ rates: [{ count: unknown; price: unknown }] }>().rates[0];

/** As many lanes as it takes for several steps: a segment each. */
const manyLanes = (count: number): TestItem[] =>
  Array.from({ length: count }, (_, index) => [`L${index}`, 'BBBBB', 18_990, 5]);

test('items of a withdrawn batch go once the rollups took it in, its row stays; what is visible is not touched', () =>
  withDatabase(async (test) => {
    const { database, emit } = test;
    const gone = await publishItems(database, lane(9, 100));
    const stays = await publishItems(database, lane(6, 200));
    await rollUp(database, emit);
    await withdraw(database, gone.batch, emit);
    const before = await stateOf(test, gone.batch);
    await purgeNow(test);
    expect(await stateOf(test, gone.batch)).toEqual(before);
    await rollUp(database, emit);
    await purgeNow(test, { historyDays: 1 });
    expect(await stateOf(test, gone.batch)).toEqual(before);
    await purgeNow(test);
    expect(await stateOf(test, gone.batch)).toEqual({
      segments: 0,
      parts: 0,
      horizon: '3',
      purged: true,
      items: '9',
    });
    expect(await stateOf(test, stays.batch)).toMatchObject({ segments: 1, parts: 1, purged: false });
    expect(await items(test)).toBe(6);
    const kinds = (): string[] =>
      test.events.map(({ kind }) => kind).filter((kind) => kind.includes('purged'));
    expect(kinds()).toEqual(['segments-purged', 'batch-purged']);
    expect(test.events).toContainEqual(
      expect.objectContaining({ kind: 'segments-purged', segments: 1, items: 9 }),
    );
    await purgeNow(test);
    expect(kinds()).toHaveLength(2);
  }));

test('the horizon is committed before the first item is missing', () =>
  withDatabase(async (test) => {
    const { database, emit } = test;
    const { batch } = await publishItems(database, lane(9, 100));
    await withdraw(database, batch, emit);
    await rollUp(database, emit);
    let purging: Promise<void> | undefined;
    await database.transaction(async (client) => {
      await client.query('select from fairway.segments for update');
      purging = purgeNow(test);
      await untilWaiting(test, 1);
      expect(await stateOf(test, batch)).toMatchObject({ segments: 1, horizon: '2', purged: false });
    });
    await purging;
    expect(await stateOf(test, batch)).toMatchObject({ segments: 0, horizon: '2', purged: true });
    // And where it cannot move, nothing goes.
    const next = await publishItems(database, lane(9, 100));
    await withdraw(database, next.batch, emit);
    await rollUp(database, emit);
    await database.transaction(async (client) => {
      await client.query('select from fairway.retention for update');
      purging = purgeNow(test);
      await untilWaiting(test, 1);
      expect(await stateOf(test, next.batch)).toMatchObject({ segments: 1, horizon: '2' });
    });
    await purging;
    expect(await stateOf(test, next.batch)).toMatchObject({ segments: 0, horizon: '4' });
  }));

test('nobody waits for a purge: publishing, rolling up and asking go on while it stands in its middle', () =>
  withBatches(async (test) => {
    const { database, emit } = test;
    const first = (await test.post(csv(itemsOf(4, 100)), { key: 'a' })).json<{ id: string }>().id;
    await test.post(csv(itemsOf(3, 200)));
    await withdraw(database, first, emit);
    await rollUp(database, emit);
    let purging: Promise<void> | undefined;
    await database.transaction(async (client) => {
      await client.query(
        'select from fairway.segments where attempt = (select attempt from fairway.batches where id = $1) for update',
        [first],
      );
      purging = purgeNow(test);
      await untilWaiting(test, 1);
      expect((await test.post(csv(itemsOf(3, 300)))).statusCode).toBe(201);
      const checked = await test.post(csv(itemsOf(3, 400)), { query: '?dry_run=true' });
      expect(checked.json()).toMatchObject({ items: 3, moves: [{ before: 250, after: 300 }] });
      expect(await rollUp(database, emit)).toBeDefined();
      expect(await rate(test)).toMatchObject({ count: 6, price: 250 });
      const sources = await test.server.inject({
        url: '/rates/sources?origin=AAAAA&destination=BBBBB&day=2022-01-01',
      });
      expect(sources.json()).toMatchObject({ items: 6, sources: [{ items: 3 }, { items: 3 }] });
      // A second process finds the first one at it.
      await purgeNow(test);
    });
    await purging;
    expect(await rate(test)).toMatchObject({ count: 6, price: 250 });
    // A repeat of its key still finds the verdict.
    const again = await test.post(csv(itemsOf(4, 100)), { key: 'a' });
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({
      id: first,
      state: 'withdrawn',
      items: 4,
      purged_at: expect.any(String) as string,
    });
  }));

test('it goes in steps, stops between two of them, and goes on where it stopped', () =>
  withDatabase(async (test) => {
    const { database, emit } = test;
    const { batch } = await publishItems(database, manyLanes(4_500));
    await withdraw(database, batch, emit);
    await rollUp(database, emit);
    const stopping = new AbortController();
    test.listeners.push(({ kind }) => kind === 'segments-purged' && stopping.abort());
    await purge(database, atOnce, emit, stopping.signal);
    expect(await stateOf(test, batch)).toMatchObject({ segments: 2_500, purged: false });
    expect((await readStorage(database)).waiting).toMatchObject({ batches: 1, items: 4_500 });
    await purgeNow(test);
    expect(await stateOf(test, batch)).toMatchObject({ segments: 0, purged: true });
    const steps = test.events.flatMap((event) => (event.kind === 'segments-purged' ? [event.segments] : []));
    expect(steps).toEqual([2_000, 2_000, 500]);
    expect(await readStorage(database)).toMatchObject({
      historyFrom: 2,
      waiting: { batches: 0, items: 0, bytes: 0 },
    });
  }));

test('the faults of a rejected batch go, its counts stay; its content is still answered with 422', () =>
  withBatches(async (test) => {
    const faulty: Item[] = [...itemsOf(2), ...itemsOf(3, 0), ['AAAAA', 'AAAAA', '2022-01-01', 7]];
    const first = await test.post(csv(faulty), { key: 'k' });
    const { id } = first.json<{ batch: { id: string } }>().batch;
    await purgeNow(test, { rejectedDays: 1 });
    expect((await test.server.inject({ url: `/batches/${id}/errors` })).json()).toMatchObject({
      errors: [{ line: 4 }, { line: 5 }, { line: 6 }, { line: 7 }],
    });
    await purgeNow(test);
    expect(await test.query('select from fairway.batch_errors')).toEqual([]);
    const again = await test.post(csv(faulty), { key: 'k' });
    expect(again.statusCode).toBe(422);
    const answer = again.json<Record<string, unknown>>();
    expect(answer).toMatchObject({
      code: 'batch_rejected',
      detail: expect.stringMatching(/^the batch has 4 faults .* the list was removed on 20/) as string,
      errors: [],
      error_total: 4,
      error_counts: { price_outside: 3, same_port: 1 },
      batch: { id, state: 'rejected', errors: 4 },
    });
    expect(answer).not.toHaveProperty('errors_url');
    const list = await test.server.inject({ url: `/batches/${id}/errors?format=csv` });
    expect(list.statusCode).toBe(410);
    expect(list.json()).toMatchObject({ code: 'faults_purged' });
    // Another content under the key has faults of its own, and a good one is published.
    expect((await test.post(csv(itemsOf(1, 0)), { key: 'k' })).json()).toMatchObject({
      errors: [{ line: 2 }],
      batch: { id, purged_at: null },
    });
    await purgeNow(test);
    expect((await test.post(csv(itemsOf(3)), { key: 'k' })).json()).toMatchObject({
      id,
      state: 'published',
      purged_at: null,
      errors: 0,
    });
    expect(await items(test)).toBe(3);
  }));

test('a batch that is rejected anew keeps its new faults, though a purge waits for its row', () =>
  withBatches(async (test) => {
    await test.post(csv(itemsOf(2, 0)), { key: 'k' });
    await test.database.transaction(async (client) => {
      await client.query('select from fairway.batches for update');
      await purgeNow(test);
    });
    expect(await test.query('select from fairway.batch_errors')).toHaveLength(2);
    expect(test.events.map(({ kind }) => kind)).not.toContain('faults-purged');
  }));

test('rows of failed tries go, and with the last of them a batch that never had a verdict; its key stays good', () =>
  withBatches(
    async (test) => {
      const { body, answer } = begin(test, 'k');
      body.write('AAAAA,BBBBB,2022-01-01,1\n'.repeat(6));
      await until(async () => (await test.query('select from fairway.segments')).length > 0);
      const left = () =>
        test.query(
          `select (select count(*)::integer from fairway.attempts where lease_until is not null) as attempts,
             (select count(*)::integer from fairway.batches where state = 'loading') as batches`,
        );
      // A load under way is no failed try.
      await purgeNow(test);
      expect(await left()).toEqual([{ attempts: 1, batches: 1 }]);
      await expireLeases(test);
      await collect(test.database, test.emit);
      await purgeNow(test, { rejectedDays: 1 });
      expect(await left()).toEqual([{ attempts: 1, batches: 1 }]);
      await purgeNow(test);
      expect(await left()).toEqual([{ attempts: 0, batches: 0 }]);
      body.end();
      expect((await answer).json()).toMatchObject({ code: 'in_progress' });
      expect((await test.post(csv(itemsOf(3)), { key: 'k' })).statusCode).toBe(201);
    },
    { itemsPerPart: 2, limits: long },
  ));

test('metrics: sizes, what waits, what was purged, how far back questions may go', () =>
  withBatches(async (test) => {
    const { id } = (await test.post(csv(itemsOf(4)))).json<{ id: string }>();
    await withdraw(test.database, id, test.emit);
    const metrics = async (): Promise<string> => (await test.server.inject({ url: '/metrics' })).body;
    const first = await metrics();
    expect(first).toMatch(/^fairway_table_bytes\{table="segments"\} [1-9]/m);
    expect(first).toMatch(/^fairway_database_bytes [1-9]/m);
    expect(first).toMatch(/^fairway_unpurged_batches 1$/m);
    expect(first).toMatch(/^fairway_unpurged_items 4$/m);
    expect(first).toMatch(/^fairway_unpurged_bytes [1-9]/m);
    expect(first).toMatch(/^fairway_history_from 0$/m);
    await rollUp(test.database, test.emit);
    await purgeNow(test);
    const second = await metrics();
    expect(second).toMatch(/^fairway_purged_items_total 4$/m);
    expect(second).toMatch(/^fairway_purged_bytes_total [1-9]/m);
    expect(second).toMatch(/^fairway_purged_batches_total 1$/m);
    // The database is not asked again so soon.
    expect(second).toMatch(/^fairway_unpurged_batches 1$/m);
    expect(second).not.toMatch(/^fairway_disk_free_bytes \d/m);
  }));
