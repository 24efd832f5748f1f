/** Questions whose statements go to several nodes, as those of a standby do that is away or behind: no answer mixes their revisions. */
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { parseDay } from '../../src/days.js';
import { createServer } from '../../src/http/server.js';
import { putPlace } from '../../src/ingest/places.js';
import { answersOfMany, type ManyQuestions } from '../../src/query/many.js';
import { ratesBetween, RatesSource } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withReplica, type Replicated } from '../support/replica.js';
import { defaults } from '../support/server.js';

const day = parseDay('2021-01-01') ?? 0;
const quiet = (): void => undefined;
const lane = { origin: { port: 'AAAAA' }, destination: { port: 'BBBBB' }, from: day, to: day };
const items = (...prices: number[]): TestItem[] =>
  prices.map((price): TestItem => ['AAAAA', 'BBBBB', day, price]);
const place = (name: string) => ({ place: name, parameter: 'origin' });

/** Reads of the standby; the first of a name goes to the primary, as one that the standby cancels does. */
function once({ primary, standby }: Replicated, ...names: string[]): Database {
  const left = new Set(names);
  return {
    ...standby.database,
    read: (statement, options) =>
      (left.delete(statement.name ?? '') ? primary : standby).database.read(statement, options),
  };
}

async function countsAndHighest(source: RatesSource, many: ManyQuestions): Promise<unknown[]> {
  const { revision, answers } = await answersOfMany(source, many, {});
  const found: unknown[] = [revision];
  for await (const some of answers)
    for (const { totals, statistics } of some)
      found.push(totals.counts[0], totals.sums[0], statistics?.get('max')?.[0]);
  return found;
}

/** The standby stays at a revision with prices of 1; the primary has three other prices in their place. */
const withLag = (work: (replicated: Replicated, revision: number) => Promise<void>): Promise<void> =>
  withReplica(async (replicated) => {
    const { primary, pauseReplay, resumeReplay, caughtUp } = replicated;
    await putPlace(primary.database, { kind: 'region', code: 'north', name: 'North', parent: null }, quiet);
    for (const code of ['AAAAA', 'BBBBB'])
      await putPlace(primary.database, { kind: 'port', code, name: code, parent: 'north' }, quiet);
    const { batch } = await publishItems(primary.database, items(1, 1, 1));
    await rollUp(primary.database, quiet);
    await caughtUp();
    await pauseReplay();
    const { revision } = await publishItems(primary.database, items(5, 6, 7), [batch]);
    try {
      await work(replicated, revision);
    } finally {
      await resumeReplay();
    }
  });

test(
  'many questions at a revision that the node of a later statement has not reached',
  { timeout: 60_000 },
  () =>
    withLag(async (replicated, revision) => {
      const source = () => new RatesSource(once(replicated, 'head'), replicated.primary.database);
      const region = { ...lane, origin: place('north'), destination: place('north') };
      expect(await countsAndHighest(source(), { questions: [lane] })).toEqual([revision, 3, 18, undefined]);
      expect(await countsAndHighest(source(), { questions: [region] })).toEqual([revision, 3, 18, undefined]);
      expect(await countsAndHighest(source(), { questions: [lane], statistics: ['max'] })).toEqual([
        revision,
        3,
        18,
        7,
      ]);
    }),
);

test('statistics of prices that the node of their statement does not have', { timeout: 60_000 }, () =>
  withLag(async (replicated, revision) => {
    const nodes = once(replicated, 'rolled-lanes', 'totals-and-changes');
    const source = new RatesSource(nodes, replicated.primary.database);
    const answer = await ratesBetween(source, { ...lane, statistics: ['max'] }, {});
    expect([answer.revision, answer.totals.sums[0], answer.statistics?.get('max')?.[0]]).toEqual([
      revision,
      18,
      7,
    ]);
  }),
);

test(
  'a tree of places that the node does not have is not waited for until the deadline',
  { timeout: 60_000 },
  () =>
    withLag(async (replicated) => {
      const { primary } = replicated;
      const source = new RatesSource(
        once(replicated, 'totals-and-changes', 'rolled-lanes'),
        replicated.primary.database,
      );
      const region = { ...lane, origin: place('AAAAA'), destination: place('BBBBB') };
      await source.places.known({});
      const { revision } = await putPlace(
        primary.database,
        { kind: 'port', code: 'CCCCC', name: 'C', parent: 'north' },
        quiet,
      );
      const answer = await ratesBetween(source, region, { deadline: performance.now() + 10_000 });
      expect(answer.revision).toBe(revision);
    }),
);

test('revisions as lines end with the last of them, not before', { timeout: 60_000 }, () =>
  withReplica(async (replicated) => {
    const { primary, pauseReplay, resumeReplay, caughtUp } = replicated;
    const put = (count: number) =>
      putPlace(primary.database, { kind: 'region', code: `r${count}`, name: 'R', parent: null }, quiet);
    for (let count = 1; count <= 100; count++) await put(count);
    await caughtUp();
    await pauseReplay();
    await put(101);
    const { observe: _, ...wired } = defaults(primary.database, quiet);
    const reads = once(replicated, 'revisions-after');
    const server = createServer({ ...wired, reads });
    try {
      const { body } = await server.inject({
        url: '/revisions',
        headers: { accept: 'application/x-ndjson' },
      });
      const lines = body.trimEnd().split('\n');
      const revisions = lines.map((line) => (JSON.parse(line) as { revision: number }).revision);
      expect(revisions).toEqual([...Array.from({ length: 101 }, (_, index) => index + 1), 101]);
    } finally {
      await resumeReplay();
      await server.close();
    }
  }),
);
