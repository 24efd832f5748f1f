/** Questions that share statements: each gets its own answer, and none waits for a statement that hangs. */
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/database.js';
import type { FairwayError } from '../../src/errors.js';
import { daysOf } from '../../src/query/between.js';
import { LaneReader, type Totals } from '../../src/query/lane-reader.js';
import { rollUp } from '../../src/query/roll-up.js';
import { addUp } from '../../src/query/totals.js';
import { gated } from '../support/answers.js';
import { withDatabase } from '../support/database.js';
import { publishItems } from '../support/publish.js';

const day = 18_000;
const days = daysOf({ from: day, to: day });
const quiet = (): void => undefined;

const countOf = async ({ rows }: Totals): Promise<number | undefined> =>
  (await addUp(rows, { from: day, to: day })).counts[0];

/** The database, with the first statement held until it is let go, and all of them counted. */
function held(database: Database): { database: Database; letGo: () => void; statements: () => number } {
  let statements = 0;
  let letGo: () => void = quiet;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const read: Database['read'] = async (statement, options) => {
    if (statements++ === 0) await gate;
    return database.read(statement, options);
  };
  return { database: { ...database, read }, letGo, statements: () => statements };
}

test('questions that come together share a statement, and each gets its own answer, whatever it is called', () =>
  withDatabase(async ({ database }) => {
    await publishItems(database, [
      ['AAAAA', 'BBBBB', day, 5],
      ['BBBBB', 'AAAAA', day, 5],
      ['BBBBB', 'AAAAA', day, 6],
    ]);
    await rollUp(database, quiet);
    const { database: counted, letGo, statements } = held(database);
    letGo();
    const lanes = new LaneReader(counted);
    const ask = (origin: string, destination: string): Promise<Totals> =>
      lanes.read({ origin, destination, ...days }, {});
    const asked = ['AAAAA BBBBB', 'BBBBB AAAAA', 'a"b\\ {,}', 'NULL null', 'AAAAA AAAAA'].map((lane) => {
      const [origin = '', destination = ''] = lane.split(' ');
      return ask(origin, destination);
    });
    const counts = await Promise.all((await Promise.all(asked)).map(countOf));
    expect(counts).toEqual([1, 2, 0, 0, 0]);
    expect(statements()).toBe(1);
  }));

test('a question does not wait for a statement that hangs', () =>
  withDatabase(async ({ database }) => {
    await publishItems(database, [['AAAAA', 'BBBBB', day, 5]]);
    await rollUp(database, quiet);
    const { database: hanging, letGo, statements } = held(database);
    const lanes = new LaneReader(hanging);
    const lane = { origin: 'AAAAA', destination: 'BBBBB', ...days };
    const first = lanes.read(lane, {});
    while (statements() === 0) await new Promise(setImmediate);
    expect(await countOf(await lanes.read(lane, {}))).toBe(1);
    letGo();
    expect(await countOf(await first)).toBe(1);
    expect(statements()).toBe(2);
  }));

test('what came since the rollups is looked up once, and again after each publish and roll-up', () =>
  withDatabase(async ({ database }) => {
    const { database: counted, letGo, statements } = held(database);
    letGo();
    const lanes = new LaneReader(counted);
    const ask = async (): Promise<[number | undefined, number]> => {
      const before = statements();
      const count = await countOf(await lanes.read({ origin: 'AAAAA', destination: 'BBBBB', ...days }, {}));
      return [count, statements() - before];
    };
    const { batch } = await publishItems(database, [['AAAAA', 'BBBBB', day, 5]]);
    expect(await ask()).toEqual([1, 2]);
    expect(await ask()).toEqual([1, 1]);
    await publishItems(database, [['AAAAA', 'BBBBB', day, 6]]);
    expect(await ask()).toEqual([2, 2]);
    expect(await ask()).toEqual([2, 1]);
    await publishItems(database, [['CCCCC', 'BBBBB', day, 7]], [batch]);
    expect(await ask()).toEqual([1, 2]);
    expect(await ask()).toEqual([1, 1]);
    await rollUp(database, quiet);
    expect(await ask()).toEqual([1, 2]);
    expect(await ask()).toEqual([1, 1]);
  }));

test('more wait than are answered in about a second: the others are told to come again', () =>
  withDatabase(async ({ database }) => {
    const gate = gated(database);
    gate.hold('rolled-lanes', 'totals-and-changes');
    const lanes = new LaneReader(gate.database);
    const lane = { origin: 'AAAAA', destination: 'BBBBB', ...days };
    const asked = Array.from({ length: 12_000 }, () => lanes.read(lane, {}));
    const outcomes = Promise.allSettled(asked);
    await expect.poll(gate.held).toBeGreaterThan(0);
    gate.release();
    const refused = (await outcomes).flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as FairwayError).code] : [],
    );
    expect(new Set(refused)).toEqual(new Set(['overloaded']));
    expect(refused).toHaveLength(2_000);
  }));

test('whose deadline passed while it waited is not read any more', () =>
  withDatabase(async ({ database }) => {
    const gate = gated(database);
    gate.hold('rolled-lanes', 'totals-and-changes');
    let statements = 0;
    const read: Database['read'] = (statement, options) => {
      statements++;
      return gate.database.read(statement, options);
    };
    const lanes = new LaneReader({ ...database, read });
    const lane = { origin: 'AAAAA', destination: 'BBBBB', ...days };
    const under = Promise.all([1, 2, 3, 4].map(() => lanes.read(lane, {}).then(countOf)));
    void under.catch(quiet);
    await expect.poll(gate.held).toBeGreaterThan(0);
    const before = statements;
    const late = Array.from({ length: 300 }, () => lanes.read(lane, { deadline: performance.now() - 1 }));
    for (const outcome of await Promise.allSettled(late))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'database_timeout' } });
    expect(statements).toBe(before);
    gate.release();
    await under;
  }));
