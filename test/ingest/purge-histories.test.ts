/** Histories of publishing, replacing and withdrawing with purges and roll-ups in between and beside, compared with a plain model. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { RatesSource, ratesBetween } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems } from '../support/publish.js';

const histories = 150;
const seed = 11;
const firstDay = 18_990;
const days = 40;
const atOnce = { historyDays: 0, rejectedDays: 0 };

type Prices = [day: number, price: number][];
type Step =
  | { kind: 'publish'; prices: Prices }
  | { kind: 'replace'; which: number; prices: Prices }
  | { kind: 'withdraw'; which: number }
  | { kind: 'roll up' }
  | { kind: 'purge' };

const prices = fc.array(
  fc.tuple(fc.integer({ min: 0, max: days - 1 }), fc.integer({ min: 1, max: 2_147_483_647 })),
  { minLength: 1, maxLength: 8 },
);
const which = fc.nat(9);
const history = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('publish' as const), prices }),
    fc.record({ kind: fc.constant('replace' as const), which, prices }),
    fc.record({ kind: fc.constant('withdraw' as const), which }),
    fc.record({ kind: fc.constant('roll up' as const) }),
    fc.record({ kind: fc.constant('purge' as const) }),
  ),
  { minLength: 3, maxLength: 12 },
);

/** Count and sum of each day. */
function totalsOf(visible: ReadonlyMap<string, Prices>): [number, number][] {
  const totals = Array.from({ length: days }, (): [number, number] => [0, 0]);
  for (const [day, price] of [...visible.values()].flat()) {
    const total = totals[day];
    if (!total) continue;
    total[0]++;
    total[1] += price;
  }
  return totals;
}

async function totalsTold(source: RatesSource, lane: string): Promise<unknown> {
  const ends = { origin: { port: lane }, destination: { port: 'BBBBB' } };
  const { totals } = await ratesBetween(source, { ...ends, from: firstDay, to: firstDay + days - 1 }, {});
  return Array.from({ length: days }, (_, day) => [totals.counts[day], totals.sums[day]]);
}

async function take(
  { database, emit }: TestDatabase,
  lane: string,
  visible: Map<string, Prices>,
  step: Step,
): Promise<void> {
  if (step.kind === 'roll up') return void (await rollUp(database, emit));
  if (step.kind === 'purge') return purge(database, atOnce, emit);
  const id =
    step.kind === 'publish' ? undefined : [...visible.keys()][step.which % Math.max(1, visible.size)];
  if (step.kind === 'withdraw') {
    if (id !== undefined) await withdraw(database, id, emit);
  } else {
    const items = step.prices.map(([day, price]) => [lane, 'BBBBB', firstDay + day, price] as const);
    const { batch } = await publishItems(database, items, id === undefined ? [] : [id]);
    visible.set(batch, step.prices);
  }
  if (id !== undefined) visible.delete(id);
}

/** Batches of which something is missing though somebody may still ask for it, or the rollups have yet to subtract it. */
const missing = `select b.id from fairway.batches b
  where b.published_revision is not null
    and (b.withdrawn_revision is null or b.withdrawn_revision > (select history_from from fairway.retention)
      or b.withdrawn_revision > (select revision from fairway.rollup_state))
    and b.items <> (select coalesce(sum(s.items), 0) from fairway.segments s where s.attempt = b.attempt)`;

test(
  `${histories} histories answer as the model says after every step, purges and roll-ups beside them`,
  { timeout: 240_000 },
  () =>
    withDatabase(async (test) => {
      const { database, emit } = test;
      const source = new RatesSource(database);
      const all = fc.sample(history, { numRuns: histories, seed });
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let index = next++; index < all.length; index = next++) {
          const visible = new Map<string, Prices>();
          for (const step of all[index] ?? []) {
            await take(test, `L${index}`, visible, step);
            expect(await totalsTold(source, `L${index}`), `seed ${seed}, history ${index}`).toEqual(
              totalsOf(visible),
            );
          }
        }
      };
      const over = { yet: false };
      const beside = async (work: () => Promise<unknown>): Promise<void> => {
        while (!over.yet) await work();
      };
      const lookers = [
        beside(() => rollUp(database, emit)),
        beside(async () => expect(await database.read({ text: missing })).toEqual([])),
      ];
      await Promise.all([worker(), worker()]).finally(() => (over.yet = true));
      await Promise.all(lookers);
      await rollUp(database, emit);
      await purge(database, atOnce, emit);
      const left = await test.query(
        `select from fairway.segments s join fairway.batches b on b.attempt = s.attempt where b.state = 'withdrawn'`,
      );
      expect(left).toEqual([]);
      expect(test.events.filter(({ kind }) => kind === 'batch-purged').length).toBeGreaterThan(histories / 4);
    }),
);
