/** Questions asked of a hot standby: none is answered from before the revision it needs, and none writes. */
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/database/database.js';
import { freePort } from '../../src/database/embedded/cluster.js';
import { formatDay, parseDay } from '../../src/days.js';
import { FairwayError } from '../../src/errors.js';
import type { FairwayEvent } from '../../src/events.js';
import { putPlace } from '../../src/ingest/places.js';
import { ratesBetween, RatesSource, type RatesAnswer, type RatesQuestion } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withReplica, type Replicated } from '../support/replica.js';
import { createServer } from '../../src/http/server.js';
import { defaults } from '../support/server.js';

const day = parseDay('2021-01-01') ?? 0;
const quiet = (): void => undefined;
const items = (count: number): TestItem[] =>
  Array.from({ length: count }, (): TestItem => ['AAAAA', 'BBBBB', day, 100]);
const lane = { origin: { port: 'AAAAA' }, destination: { port: 'BBBBB' }, from: day, to: day };
const named = (name: string) => ({ place: name, parameter: 'origin' });

const statementsOf = (events: readonly FairwayEvent[]): number =>
  events.filter(({ kind }) => kind === 'statement-read').length;

const places = async ({ primary }: Replicated, codes: readonly string[]): Promise<void> => {
  await putPlace(primary.database, { kind: 'region', code: 'north', name: 'North', parent: null }, quiet);
  for (const code of codes)
    await putPlace(primary.database, { kind: 'port', code, name: code, parent: 'north' }, quiet);
};

test('a standby that is behind answers nothing from before the revision asked for', { timeout: 60_000 }, () =>
  withReplica(async (replicated) => {
    const { primary, standby, pauseReplay, resumeReplay, caughtUp } = replicated;
    await places(replicated, ['AAAAA', 'BBBBB']);
    const { revision: before } = await publishItems(primary.database, items(3));
    await caughtUp();
    const source = new RatesSource(standby.database, primary.database);
    const asked = async (more: Partial<RatesQuestion>): Promise<[number, number | undefined]> => {
      const { revision, totals } = await ratesBetween(source, { ...lane, ...more }, {});
      return [revision, totals.counts[0]];
    };
    expect(await asked({})).toEqual([before, 3]);
    expect(await asked({ asOf: before, minRevision: before })).toEqual([before, 3]);
    expect(statementsOf(primary.events)).toBe(0);

    await pauseReplay();
    const { revision: after } = await publishItems(primary.database, items(4));
    await putPlace(primary.database, { kind: 'port', code: 'CCCCC', name: 'C', parent: 'north' }, quiet);
    const made = after + 1;
    // What needs no revision is answered as the standby has it.
    expect(await asked({})).toEqual([before, 3]);
    expect(await asked({ asOf: before })).toEqual([before, 3]);
    expect(statementsOf(primary.events)).toBe(0);
    expect(await asked({ minRevision: after })).toEqual([made, 7]);
    expect(await asked({ asOf: after })).toEqual([after, 7]);
    const region = { origin: named('north'), destination: named('BBBBB') };
    expect(await asked({ ...region, asOf: after })).toEqual([after, 7]);
    // A place that is known where revisions come first.
    const newcomer = { origin: named('CCCCC'), destination: named('BBBBB') };
    expect(await asked({ ...newcomer, minRevision: made })).toEqual([made, 0]);
    await expect(asked(newcomer)).rejects.toMatchObject({ code: 'place_unknown', revision: before });
    for (const wanted of [{ minRevision: made + 1 }, { asOf: made + 1 }])
      await expect(asked(wanted)).rejects.toMatchObject({ code: 'invalid_parameter', revision: made });
    expect(statementsOf(primary.events)).toBeGreaterThan(0);
    await resumeReplay();
    await caughtUp();
    expect(await asked({})).toEqual([made, 7]);
  }),
);

test(
  'with the primary away it waits, and where that does not help it says when to come again',
  { timeout: 60_000 },
  () =>
    withReplica(async ({ primary, standby, pauseReplay, resumeReplay, caughtUp }) => {
      const { revision: before } = await publishItems(primary.database, items(3));
      await caughtUp();
      await pauseReplay();
      const { revision } = await publishItems(primary.database, items(4));
      const away = openDatabase({
        connection: {
          host: '127.0.0.1',
          port: await freePort('127.0.0.1', undefined),
          user: 'x',
          password: 'x',
        },
        poolSize: 2,
        emit: quiet,
      });
      const source = new RatesSource(standby.database, away);
      const ask = (more: Partial<RatesQuestion>): Promise<RatesAnswer> =>
        ratesBetween(source, { ...lane, ...more }, {});
      for (const wanted of [
        { minRevision: revision },
        { asOf: revision },
        { asOf: revision, origin: named('X') },
      ])
        await expect(ask(wanted)).rejects.toMatchObject({
          code: 'revision_not_here',
          status: 503,
          retryAfter: 1,
          revision: before,
        });
      // Whoever comes again until it is there is answered, and by nobody but the standby.
      const answer = (async (): Promise<RatesAnswer> => {
        for (;;) {
          try {
            return await ask({ minRevision: revision });
          } catch (error) {
            if (!(error instanceof FairwayError) || error.code !== 'revision_not_here') throw error;
          }
        }
      })();
      await resumeReplay();
      expect(await answer).toMatchObject({ revision });
      await away.close();
    }),
);

test('every question is answered by a standby alone, which takes no write', { timeout: 60_000 }, () =>
  withReplica(async (replicated) => {
    const { primary, standby, caughtUp } = replicated;
    await places(replicated, ['AAAAA', 'BBBBB']);
    await publishItems(primary.database, items(3));
    await rollUp(primary.database, quiet);
    await publishItems(primary.database, items(4));
    await caughtUp();
    await expect(
      standby.query("insert into fairway.revisions (revision, reason) values (99, 'x')"),
    ).rejects.toThrow(/read-only/);
    const { observe: _, ...wired } = defaults(primary.database, quiet);
    const server = createServer({ ...wired, reads: standby.database });
    const [from, revision] = [formatDay(day), 5];
    const range = `date_from=${from}&date_to=${from}`;
    const before = statementsOf(primary.events);
    try {
      for (const url of [
        `/rates?${range}&orig_code=AAAAA&dest_code=BBBBB`,
        `/rates?${range}&origin=north&destination=north&min_revision=${revision}`,
        `/rates?${range}&origin=north&destination=north&as_of=4`,
        `/rates?${range}&orig_code=AAAAA&dest_code=BBBBB&as_of=4`,
        `/rates/sources?origin=north&destination=BBBBB&day=${from}`,
        '/rates/changes?since=0',
        '/revisions',
        '/ports',
        '/regions?as_of=1',
        '/health/ready',
      ]) {
        const { statusCode, headers, body } = await server.inject(url);
        expect(statusCode, `${url}: ${body}`).toBe(200);
        if (url !== '/health/ready') expect(headers['rates-revision'], url).toMatch(/^[1-5]$/);
      }
      for (const url of ['/rates/changes?since=0', '/revisions']) {
        const { body } = await server.inject({ url, headers: { accept: 'application/x-ndjson' } });
        expect(body.trimEnd().split('\n').at(-1)).toBe(`{"revision":${revision}}`);
      }
      expect(statementsOf(primary.events)).toBe(before);
    } finally {
      await server.close();
    }
  }),
);
