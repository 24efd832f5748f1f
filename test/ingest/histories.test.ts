/** Histories of publishing, replacing and withdrawing, compared with a plain model. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartPacker } from '../../src/ingest/pack.js';
import { gatherSegments, partOf } from '../../src/ingest/parse/part-transfer.js';
import type { Upload, UploadContext } from '../../src/ingest/upload/context.js';
import { publishUpload } from '../../src/ingest/upload/finish.js';
import { openUpload } from '../../src/ingest/upload/open.js';
import { PartLoader } from '../../src/ingest/upload/parts.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { RatesSource, ratesBetween } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { histories } from '../support/histories.js';
import { contextOf } from '../support/batches.js';

const firstDay = 18_990;
const days = 40;

/** Day and price; the lane is the history's own. */
type Prices = [day: number, price: number][];
type Step =
  | { kind: 'publish'; prices: Prices }
  | { kind: 'replace'; which: number; prices: Prices }
  | { kind: 'withdraw'; which: number };

const prices = fc.array(
  fc.tuple(fc.integer({ min: 0, max: days - 1 }), fc.integer({ min: 1, max: 2_147_483_647 })),
  { minLength: 1, maxLength: 8 },
);
const which = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('publish' as const), prices }),
  fc.record({ kind: fc.constant('replace' as const), which, prices }),
  fc.record({ kind: fc.constant('withdraw' as const), which }),
);
const history = fc.array(step, { minLength: 1, maxLength: 6 });

interface Told {
  count: number;
  sum: number;
}

/** What is visible: the plain model. */
function totalsOf(visible: ReadonlyMap<string, Prices>): Told[] {
  const totals = Array.from({ length: days }, () => ({ count: 0, sum: 0 }));
  for (const batch of visible.values()) {
    for (const [day, price] of batch) {
      const total = totals[day];
      if (!total) continue;
      total.count++;
      total.sum += price;
    }
  }
  return totals;
}

/** Publishes as the pipeline does, apart from reading text: a part for each half. Resolves with the batch. */
async function publish(
  context: UploadContext,
  lane: string,
  prices: Prices,
  replaces: string | null,
): Promise<string> {
  const upload: Upload = {
    caller: { key: null, all: true },
    key: null,
    format: 'csv',
    encoding: 'identity',
    replaces,
  };
  const opened = await openUpload(context, upload);
  if (!('claim' in opened)) throw new Error('a batch without a key is always new');
  const loader = new PartLoader(context, opened.claim);
  const half = Math.ceil(prices.length / 2);
  for (const part of [prices.slice(0, half), prices.slice(half)]) {
    if (part.length === 0) continue;
    const packer = new PartPacker();
    for (const [day, price] of part) packer.add(0, firstDay + day, price);
    const lanes = part[0] === prices[0] ? [{ origin: lane, destination: 'BBBBB' }] : [];
    await loader.add({ items: part.length, lanes, ...partOf(gatherSegments(packer.drain(1))) });
  }
  const read = {
    items: prices.length,
    lanes: 1,
    sha256: Buffer.alloc(32),
    bytes: 9,
    faults: [],
    faultTotal: 0,
    faultCounts: {},
  };
  await publishUpload(context, upload, opened.claim, read, await loader.finish());
  return opened.claim.batch;
}

async function run(
  test: TestDatabase,
  source: RatesSource,
  lane: string,
  steps: readonly Step[],
): Promise<void> {
  const { database, emit } = test;
  const visible = new Map<string, Prices>();
  const context = contextOf(test);
  for (const step of steps) {
    const ids = [...visible.keys()];
    const id = step.kind === 'publish' ? undefined : ids[step.which % Math.max(1, ids.length)];
    if (step.kind === 'withdraw') {
      if (id === undefined) continue;
      await withdraw(database, id, emit);
      visible.delete(id);
    } else {
      const batch = await publish(context, lane, step.prices, id ?? null);
      if (id !== undefined) visible.delete(id);
      visible.set(batch, step.prices);
    }
  }
  const { totals } = await ratesBetween(
    source,
    { origin: { port: lane }, destination: { port: 'BBBBB' }, from: firstDay, to: firstDay + days - 1 },
    {},
  );
  const told = Array.from({ length: days }, (_, day) => ({
    count: totals.counts[day],
    sum: totals.sums[day],
  }));
  expect(told, JSON.stringify(steps)).toEqual(totalsOf(visible));
}

test(
  `${histories} histories end as the model says, rollups moving on beside them`,
  { timeout: 240_000 },
  () =>
    withDatabase(async (test) => {
      const source = new RatesSource(test.database);
      const all = fc.sample(history, { numRuns: histories, seed: 4 });
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let index = next++; index < all.length; index = next++) {
          await run(test, source, `L${index}`, all[index] ?? []);
          if (index % 100 === 99) await rollUp(test.database, test.emit);
        }
      };
      await Promise.all([worker(), worker(), worker()]);
      expect(next).toBeGreaterThanOrEqual(histories);
    }),
);
