/** The database is away: what is kept goes out and says so, for a while; everything else is refused at once. */
import { expect, test } from 'vitest';
import { createServer, type ServerOptions } from '../../src/http/server.js';
import { listen } from '../../src/http/listen.js';
import { importContent } from '../../src/ingest/import.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { withPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.js';
import { publishItems } from '../support/publish.js';
import { withReplica } from '../support/replica.js';
import { defaults, withServer } from '../support/server.js';

const question = '/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=AAAAA&dest_code=BBBBB';
const other = question.replace('AAAAA', 'CCCCC');
const aDayMore = question.replace('2021-01-02', '2021-01-03');
const asCsv = `${question}&format=csv`;
const everyWay = [question, asCsv, `${question}&min_revision=1`];
/** Longer than any test: whoever is answered at all was not kept until then. */
const requestMilliseconds = 600_000;

interface Answer {
  status: number;
  body: string;
  stale: string | null;
  age: string | null;
  revision: string | null;
  retryAfter: string | null;
}

const asker =
  (address: string) =>
  async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const {
      status,
      headers: given,
      ...answer
    } = await fetch(address + path, { headers }).then(async (answer) => ({
      status: answer.status,
      headers: answer.headers,
      body: await answer.text(),
    }));
    const [stale, age, revision, retryAfter] = ['rates-stale', 'age', 'rates-revision', 'retry-after'].map(
      (name) => given.get(name),
    );
    return {
      status,
      ...answer,
      stale: stale ?? null,
      age: age ?? null,
      revision: revision ?? null,
      retryAfter: retryAfter ?? null,
    };
  };
type Ask = ReturnType<typeof asker>;

const keep = async (ask: Ask): Promise<Answer[]> => {
  for (let times = 0; times < 3; times++) for (const path of everyWay) await ask(path);
  return Promise.all(everyWay.map((path) => ask(path)));
};

/** A server whose database lies behind a proxy. */
const withProxy = (
  work: (proxy: PostgresProxy, ask: Ask, publish: () => Promise<number>) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await rollUp(test.database, test.emit);
    await withPostgresProxy(test, (proxy) =>
      withServer(
        { ...test, database: proxy.database },
        async (server) =>
          work(proxy, asker(await listen(server, '127.0.0.1', 0)), async () => {
            const { revision } = await publishItems(test.database, [['AAAAA', 'BBBBB', 18_628, 99]]);
            return revision;
          }),
        { staleSeconds: 600, requestMilliseconds, ...options },
      ),
    );
  });

const fresh = { status: 200, stale: null, age: null };
const isStale = (reason: string) => ({
  status: 200,
  stale: reason,
  age: expect.stringMatching(/^[1-9]\d*$/) as string,
});

test('a database that refuses: kept answers as they were, marked, others 503; and all is well once it is back', () =>
  withProxy(async (proxy, ask, publish) => {
    const oneDayMore = await ask(aDayMore);
    const before = await keep(ask);
    for (const answer of before) expect(answer).toMatchObject(fresh);
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => ask(question)).toMatchObject(isStale('database_unavailable'));
    for (const [index, path] of everyWay.entries()) {
      const answer = await ask(path);
      expect(answer).toMatchObject({
        ...isStale('database_unavailable'),
        revision: '1',
        body: before[index]?.body,
      });
    }
    // Who has seen a later revision is not sent back, and what is not kept is not there.
    for (const path of [other, `${question}&min_revision=2`, `${aDayMore}&min_revision=2`]) {
      const answer = await ask(path);
      expect(answer).toMatchObject({ status: 503, retryAfter: '1' });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'database_unavailable' });
    }
    // Of a lane that was asked about before, other days as well: it is kept whole.
    await expect
      .poll(() => ask(aDayMore))
      .toMatchObject({ ...isStale('database_unavailable'), revision: '1', body: oneDayMore.body });
    const revision = await publish();
    proxy.open();
    await expect.poll(() => ask(question)).toMatchObject({ ...fresh, revision: String(revision) });
    expect(await ask(aDayMore)).toMatchObject({ ...fresh, revision: String(revision) });
    expect(await ask(other)).toMatchObject(fresh);
  }));

test(
  'a database that says nothing: known after a moment, and then nobody waits for it',
  { timeout: 30_000 },
  () =>
    withProxy(async (proxy, ask) => {
      const [before] = await keep(ask);
      proxy.hold();
      await expect
        .poll(() => ask(question), { timeout: 20_000 })
        .toMatchObject({ ...isStale('database_timeout'), body: before?.body });
      // Refused for what is known; who tried for himself would run into another limit, that of waiting for a connection.
      const refusal = async () => {
        const { status, body } = await ask(other);
        return [status, status === 503 ? (JSON.parse(body) as { code: string }).code : undefined];
      };
      await expect.poll(refusal, { timeout: 10_000 }).toEqual([503, 'database_timeout']);
      expect(await refusal()).toEqual([503, 'database_timeout']);
      for (const path of [
        '/rates/changes?since=0',
        '/rates/sources?origin=AAAAA&destination=BBBBB&day=2021-01-01',
        '/revisions',
        '/ports',
        '/regions/asia',
      ])
        expect(await ask(path), path).toMatchObject({
          status: 503,
          retryAfter: '1',
          body: expect.stringContaining('database_timeout') as string,
        });
      proxy.release();
      await expect.poll(() => ask('/ports'), { timeout: 20_000 }).toMatchObject({ status: 200 });
      await expect.poll(() => ask(question), { timeout: 20_000 }).toMatchObject(fresh);
      await expect.poll(() => ask(other), { timeout: 20_000 }).toMatchObject(fresh);
    }),
);

test('no older than the bound, and never without one', () =>
  withProxy(
    async (proxy, ask) => {
      await keep(ask);
      proxy.refuse();
      proxy.cut();
      await expect.poll(() => ask(question)).toMatchObject(isStale('database_unavailable'));
      await expect
        .poll(() => ask(question), { timeout: 10_000 })
        .toMatchObject({ status: 503, retryAfter: '1' });
    },
    { staleSeconds: 2 },
  ).then(() =>
    withProxy(
      async (proxy, ask) => {
        await keep(ask);
        proxy.refuse();
        proxy.cut();
        await expect.poll(() => ask(question)).toMatchObject({ status: 503, stale: null });
      },
      { staleSeconds: 0 },
    ),
  ));

test('a standby that is really stopped', { timeout: 60_000 }, () =>
  withReplica(async ({ primary, standby, caughtUp, stopStandby }) => {
    await publishItems(primary.database, [['AAAAA', 'BBBBB', 18_628, 99]]);
    await caughtUp();
    const { observe: _observe, ...wired } = defaults(primary.database, () => undefined);
    const server = createServer({
      ...wired,
      reads: standby.database,
      staleSeconds: 600,
      requestMilliseconds,
    });
    try {
      const ask = asker(await listen(server, '127.0.0.1', 0));
      const [before] = await keep(ask);
      await stopStandby();
      await expect
        .poll(() => ask(question))
        .toMatchObject({ ...isStale('database_unavailable'), body: before?.body });
      expect(await ask(question, { 'if-none-match': '*' })).toMatchObject({
        status: 304,
        stale: 'database_unavailable',
      });
      expect(await ask(other)).toMatchObject({ status: 503, retryAfter: '1' });
    } finally {
      await server.close();
    }
  }),
);
