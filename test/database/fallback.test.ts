/** Questions while the standby of FAIRWAY_READ_URL is away: the primary answers them. */
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.js';
import { withFallback } from '../../src/database/fallback.js';
import { unavailable } from '../../src/database/failures.js';
import { createServer } from '../../src/http/server.js';
import { newestRevision } from '../../src/query/head.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { withPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.js';
import { publishItems } from '../support/publish.js';
import { withReplica } from '../support/replica.js';
import { defaults } from '../support/server.js';

const quiet = (): void => undefined;

interface Nodes {
  reads: Database;
  /** The way to the standby. */
  proxy: PostgresProxy;
  /** Which node answers. */
  asked: () => Promise<'standby' | 'primary'>;
  kinds: string[];
}

/** One database that is reached by two ways. */
const withNodes = (work: (nodes: Nodes, test: TestDatabase) => Promise<void>): Promise<void> =>
  withDatabase((test) =>
    withPostgresProxy({ ...test, emit: quiet }, async (proxy) => {
      const kinds: string[] = [];
      const probe = openDatabase({ connection: proxy.connection, poolSize: 1, emit: quiet });
      const reads = withFallback({
        standby: proxy.database,
        probe,
        primary: test.database,
        emit: ({ kind }) => kinds.push(kind),
      });
      const asked = async (): Promise<'standby' | 'primary'> => {
        const deadline = performance.now() + 10_000;
        const pid = { text: 'select pg_backend_pid() as pid' };
        const [row] = await reads.read<{ pid: number }>(pid, { deadline });
        return proxy.backends().includes(row?.pid ?? 0) ? 'standby' : 'primary';
      };
      try {
        await work({ reads, proxy, asked, kinds }, test);
      } finally {
        proxy.release();
        await probe.close();
      }
    }),
  );

test('while the standby refuses connections the primary is asked, and then the standby again', () =>
  withNodes(async ({ proxy, asked, kinds }) => {
    expect(await asked()).toBe('standby');
    proxy.refuse();
    proxy.cut();
    for (let times = 0; times < 20; times++) expect(await asked()).toBe('primary');
    expect(kinds).toEqual(['standby-lost']);
    proxy.open();
    await expect.poll(asked).toBe('standby');
    expect(kinds).toEqual(['standby-lost', 'standby-back']);
  }));

test('a standby that has gone without a word: who waits there is answered as well', () =>
  withNodes(async ({ reads, proxy, asked, kinds }) => {
    expect(await asked()).toBe('standby');
    proxy.hold();
    // More than it has connections, each with the deadline of a request.
    const waiting = Array.from({ length: 12 }, asked);
    const late = reads.read({ text: 'select 1' }, { deadline: performance.now() + 200 });
    await expect(late).rejects.toMatchObject({ status: 503 });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['primary']));
    expect(await asked()).toBe('primary');
    proxy.release();
    await expect.poll(asked, { timeout: 10_000 }).toBe('standby');
    expect(kinds).toEqual(['standby-lost', 'standby-back']);
  }));

test('so is who waits there alone', () =>
  withNodes(async ({ proxy, asked }) => {
    expect(await asked()).toBe('standby');
    proxy.hold();
    expect(await asked()).toBe('primary');
  }));

test('a standby that is busy, or is asked nonsense, is not left', () =>
  withNodes(async ({ reads, asked, kinds }) => {
    const slow = reads.read({ text: 'select pg_sleep(5)' }, { deadline: performance.now() + 100 });
    await expect(slow).rejects.toMatchObject({ code: 'database_timeout' });
    await expect(reads.read({ text: 'select nothing' })).rejects.toMatchObject({ code: '42703' });
    expect(await asked()).toBe('standby');
    await delay(1_500);
    expect(await asked()).toBe('standby');
    expect(kinds).toEqual([]);
  }));

test(
  'a standby that replays what a statement stands in the way of, and one that is stopped',
  { timeout: 60_000 },
  () =>
    withReplica(async ({ primary, standby, caughtUp, stopStandby }) => {
      const kinds: string[] = [];
      const reads = withFallback({
        standby: standby.database,
        probe: standby.database,
        primary: primary.database,
        emit: ({ kind }) => kinds.push(kind),
      });
      await standby.query("alter system set max_standby_streaming_delay = '0'");
      await standby.query('select pg_reload_conf()');
      await publishItems(primary.database, [['AAAAA', 'BBBBB', 18_628, 99]]);
      await primary.query('create table gone as select 1 as one');
      await caughtUp();
      const recovering = { text: 'select pg_is_in_recovery() as standby, pg_sleep(2), count(*) from gone' };
      const answer = reads.read(recovering);
      await expect
        .poll(() =>
          standby.query(
            "select 1 from pg_stat_activity where query like '%pg_sleep(2)%' and pid <> pg_backend_pid()",
          ),
        )
        .toHaveLength(1);
      await primary.query('truncate gone');
      expect(await answer).toMatchObject([{ standby: false, count: '0' }]);
      expect(kinds).toEqual([]);

      const { observe: _, ...wired } = defaults(primary.database, quiet);
      const server = createServer({ ...wired, reads });
      const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';
      try {
        const before = await server.inject({ url: question });
        await stopStandby();
        const after = await server.inject({ url: question });
        expect([after.statusCode, after.body]).toEqual([200, before.body]);
        expect(after.headers).not.toHaveProperty('rates-stale');
        expect((await server.inject({ url: '/health/ready' })).statusCode).toBe(200);
        expect(kinds).toEqual(['standby-lost']);
      } finally {
        await server.close();
      }
    }),
);

test(
  'a standby that comes back is asked again once it has what the primary had: nobody goes back',
  { timeout: 60_000 },
  () =>
    withReplica(async ({ primary, standby, pauseReplay, resumeReplay, caughtUp }) => {
      await publishItems(primary.database, [['AAAAA', 'BBBBB', 18_628, 99]]);
      await caughtUp();
      await withPostgresProxy({ ...standby, emit: quiet }, async (proxy) => {
        const probe = openDatabase({ connection: proxy.connection, poolSize: 1, emit: quiet });
        const kinds: string[] = [];
        const cut = { ...primary.database };
        const reads = withFallback({
          standby: proxy.database,
          probe,
          primary: cut,
          emit: ({ kind }) => kinds.push(kind),
        });
        const revision = () => newestRevision(reads);
        try {
          expect(await revision()).toBe(1);
          await pauseReplay();
          proxy.refuse();
          proxy.cut();
          await publishItems(primary.database, [['AAAAA', 'BBBBB', 18_628, 98]]);
          expect(await revision()).toBe(2);
          proxy.open();
          for (let times = 0; times < 30; times++) {
            expect(await revision()).toBe(2);
            await delay(50);
          }
          expect(kinds).toEqual(['standby-lost']);
          await resumeReplay();
          await expect.poll(async () => (await revision(), kinds)).toContain('standby-back');
          expect(await revision()).toBe(2);

          // With the primary away an old answer is better than none.
          await pauseReplay();
          proxy.refuse();
          proxy.cut();
          await publishItems(primary.database, [['AAAAA', 'BBBBB', 18_628, 97]]);
          expect(await revision()).toBe(3);
          cut.read = () => Promise.reject(unavailable());
          proxy.open();
          await expect.poll(() => revision().catch(() => 0)).toBe(2);
          await resumeReplay();
        } finally {
          await probe.close();
        }
      });
    }),
);

test('a standby whose connections went silent is asked again as soon as it takes new ones', () =>
  withDatabase(async (test) => {
    const { hostname, port, username, password, pathname } = new URL(test.url);
    const sockets: Socket[] = [];
    const server = createTcpServer((client) => {
      const upstream = connect(Number(port), hostname);
      sockets.push(client.on('error', quiet), upstream.on('error', quiet));
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const connection = {
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: username,
      password,
      database: pathname.slice(1),
    };
    const [standby, probe] = [4, 1].map((poolSize) => openDatabase({ connection, poolSize, emit: quiet }));
    if (!standby || !probe) throw new Error('no pools');
    const kinds: string[] = [];
    const reads = withFallback({
      standby,
      probe,
      primary: test.database,
      emit: ({ kind }) => kinds.push(kind),
    });
    try {
      await Promise.all([probe.read({ text: 'select 1' }), reads.read({ text: 'select 1' })]);
      for (const socket of sockets) socket.unpipe().pause();
      await reads.read({ text: 'select 1' }, { deadline: performance.now() + 100 }).catch(quiet);
      expect(kinds).toEqual(['standby-lost']);
      await expect
        .poll(async () => (await reads.read({ text: 'select 1' }), kinds), { timeout: 8_000, interval: 100 })
        .toEqual(['standby-lost', 'standby-back']);
    } finally {
      for (const socket of sockets) socket.destroy();
      await reads.close();
      await new Promise((resolve) => server.close(resolve));
    }
  }));
