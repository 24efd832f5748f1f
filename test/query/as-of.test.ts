/** Answers about the past: as plain SQL over the items says, whatever was rolled up, withdrawn, replaced and moved since. */
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { putPlace } from '../../src/ingest/places.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { ratesBetween, RatesSource } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { histories } from '../support/histories.js';
import {
  days,
  firstDay,
  history,
  moveHead,
  step,
  type Step,
  pastOf,
  ports,
  regions,
  writePast,
  type Past,
  type PastQuestion,
} from '../support/past.js';
import { compare, compareAtOnce } from '../support/past-answers.js';
import { publishItems } from '../support/publish.js';

const questionsPerStop = 3;
const seed = Number(process.env['FAIRWAY_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Purges all that was withdrawn and that the rollups took in. */
const keepNothing = { historyDays: 0, rejectedDays: 0 };
const quiet = (): void => undefined;

type Random = (below: number) => number;
const randomFrom = (start: number): Random => {
  let state = start >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

function randomQuestion(random: Random, newest: number): PastQuestion {
  const places = random(3) > 0;
  const pick = (): string => {
    const names = places && random(3) > 0 ? regions : ports;
    return names[random(names.length)] ?? '';
  };
  const from = firstDay + random(days);
  return {
    origin: pick(),
    destination: pick(),
    places,
    asOf: random(newest + 1),
    from,
    to: from + random(days),
  };
}

test(
  `${histories} histories: at random revisions and now, an answer is what plain SQL says`,
  { timeout: 240_000 },
  async () => {
    process.stdout.write(`as-of: FAIRWAY_TEST_SEED=${seed}\n`);
    const all = fc.sample(history, { numRuns: histories, seed });
    let next = 0;
    let before = 0;
    let ofPairs = 0;
    let ofNow = 0;
    let atOnce = 0;
    const worker = (): Promise<void> =>
      withDatabase(async ({ database, url, listeners }) => {
        listeners.push((event) => {
          if (event.kind === 'statement-read' && event.statement === 'totals-of-pair-at') ofPairs++;
        });
        const client = new pg.Client(url);
        await client.connect();
        try {
          for (let index = next++; index < all.length; index = next++) {
            const where = `seed ${seed}, history ${index}`;
            const asked = await run(pastOf(all[index] ?? []), randomFrom(seed + index), where);
            // Not in one: others count while this one waits.
            before += asked;
          }
        } finally {
          await client.end();
        }
        /** Stops after a roll-up and at the end; counts the questions about revisions before the rollups. */
        async function run(past: Past, random: Random, name: string): Promise<number> {
          // A source of its own: what it knows of places is of this history.
          const source = new RatesSource(database);
          await writePast(client, past);
          let count = 0;
          for (const rolled of new Set([
            past.rollUps[random(past.rollUps.length)] ?? 0,
            past.rollUps.at(-1),
          ])) {
            if (rolled === undefined) continue;
            await moveHead(client, rolled);
            await rollUp(database, quiet);
            if (random(4) === 0) await purge(database, keepNothing, quiet);
            await moveHead(client, past.newest);
            const questions = Array.from({ length: questionsPerStop }, () =>
              randomQuestion(random, past.newest),
            );
            questions.push({ ...randomQuestion(random, past.newest), asOf: past.newest });
            const where = `${name}, rolled up at ${rolled}`;
            const stop = { source, client, questions, newest: past.newest, where };
            const [asked, once] = [await compare(stop), await compareAtOnce(stop)];
            ofNow += asked;
            atOnce += once;
            count += questions.filter(({ asOf }) => asOf < rolled).length;
          }
          return count;
        }
      });
    await Promise.all([worker(), worker(), worker()]);
    expect(next).toBeGreaterThanOrEqual(histories);
    expect(before).toBeGreaterThan(histories / 2);
    expect(ofPairs).toBeGreaterThan(histories / 10);
    expect(ofNow).toBeGreaterThan(histories);
    expect(atOnce).toBeGreaterThan(3 * histories);
  },
);

/** A history through the service's own functions; resolves with the number of revisions. */
async function live(test: TestDatabase, steps: readonly Step[]): Promise<number> {
  const visible: string[] = [];
  let newest = 0;
  const revisionNow = async (): Promise<number> => {
    const [head] = await test.query<{ revision: string }>('select revision from fairway.head');
    return Number(head?.revision);
  };
  for (const next of steps) {
    if (next.kind === 'roll up') await rollUp(test.database, quiet);
    else if (next.kind === 'places')
      for (const place of next.places) await putPlace(test.database, place, quiet).catch(() => undefined);
    else {
      const at = next.kind === 'publish' ? -1 : next.which % Math.max(1, visible.length);
      const gone = visible.splice(at, at < 0 ? 0 : 1);
      if (next.kind !== 'withdraw') visible.push((await publishItems(test.database, next.items, gone)).batch);
      else for (const batch of gone) await withdraw(test.database, batch, quiet);
    }
    newest = await revisionNow();
  }
  return newest;
}

test('so it is for batches and places that the service itself published, replaced, withdrew and moved', async () => {
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), fc.nat(), (steps, start) =>
      withDatabase(async (test) => {
        for (const code of regions)
          await putPlace(test.database, { kind: 'region', code, name: 'Old', parent: null }, quiet);
        const source = new RatesSource(test.database);
        const random = randomFrom(start);
        const client = new pg.Client(test.url);
        await client.connect();
        try {
          const half = steps.length >> 1;
          for (const part of [steps.slice(0, half), steps.slice(half)]) {
            const newest = (await live(test, part)) || regions.length;
            const questions = Array.from({ length: 6 }, () => randomQuestion(random, newest));
            const stop = { source, client, questions, newest, where: `start ${start}` };
            await compare(stop);
            await compareAtOnce(stop);
            asked += questions.length;
          }
        } finally {
          await client.end();
        }
      }),
    ),
    { numRuns: 20, seed },
  );
  expect(asked).toBeGreaterThanOrEqual(240);
});

const nameless = { from: firstDay, to: firstDay };
const between = (origin: string, destination: string, asOf: number) => ({
  origin: { place: origin, parameter: 'origin' },
  destination: { place: destination, parameter: 'destination' },
  ...nameless,
  asOf,
});

test('places are those of then: a port that moved, one that was not there yet', () =>
  withDatabase(async (test) => {
    const { database } = test;
    const put = async (kind: 'port' | 'region', code: string, parent: string | null): Promise<number> =>
      (await putPlace(database, { kind, code, name: code, parent }, quiet)).revision;
    await put('region', 'north', null);
    await put('region', 'south', null);
    await put('port', 'AAAAA', 'north');
    const made = await put('port', 'BBBBB', 'south');
    await publishItems(database, [
      ['AAAAA', 'BBBBB', firstDay, 10],
      ['AAAAA', 'BBBBB', firstDay, 20],
    ]);
    const moved = await put('port', 'AAAAA', 'south');
    const newest = await put('region', 'west', null);
    const source = new RatesSource(database);
    const count = async (origin: string, asOf: number): Promise<number | undefined> =>
      (await ratesBetween(source, between(origin, 'BBBBB', asOf), {})).totals.counts[0];
    // Newest first and back again: from the tree of now, from trees that are read, from trees that are kept.
    for (let round = 0; round < 2; round++) {
      expect(await count('south', newest)).toBe(2);
      expect(await count('north', moved)).toBe(0);
      expect(await count('north', moved - 1)).toBe(2);
      expect(await count('north', made)).toBe(0);
      await expect(count('west', newest - 1)).rejects.toMatchObject({ code: 'place_unknown' });
      await expect(count('north', made - 1)).rejects.toMatchObject({ code: 'place_unknown' });
      await expect(count('north', newest + 1)).rejects.toMatchObject({
        code: 'invalid_parameter',
        faults: [{ parameter: 'as_of', value: String(newest + 1) }],
      });
    }
    const reads = test.events.filter(
      (event) => event.kind === 'statement-read' && event.statement === 'places-at',
    );
    expect(reads.length).toBe(4);
  }));
