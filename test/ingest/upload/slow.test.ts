/** While a client is slow, or the database: no transaction is open, nothing holds back what vacuum may remove, the lease goes on. */
import { expect, test } from 'vitest';
import { collect } from '../../../src/ingest/collect.js';
import { csv, itemsOf, withBatches, type BatchTest } from '../../support/batches.js';
import { begin, items, none, orphans, until, untilWaiting } from '../../support/uploads.js';

const lines = (count: number): string => csv(itemsOf(count)).split('\n').slice(1).join('\n');

/** What our connections are at, apart from waiting for a statement. */
const busy = ({ query }: BatchTest) =>
  query(
    `select state, query, backend_xid, backend_xmin from pg_stat_activity
     where datname = current_database() and application_name = 'fairway'
       and (state <> 'idle' or backend_xid is not null or backend_xmin is not null)`,
  );

/** The newest transaction, which is over when this returns. */
const transaction = async ({ query }: BatchTest): Promise<bigint> =>
  BigInt((await query<{ id: string }>('select txid_current() as id'))[0]?.id ?? 0);

/** No transaction below this one runs, in all the server. */
const oldest = async ({ query }: BatchTest): Promise<bigint> =>
  BigInt(
    (await query<{ id: string }>('select txid_snapshot_xmin(txid_current_snapshot()) as id'))[0]?.id ?? 0,
  );

const leaseOf = async ({ query }: BatchTest): Promise<number> =>
  Number(
    (
      await query<{ lease: Date }>(
        'select lease_until as lease from fairway.attempts where lease_until is not null',
      )
    )[0]?.lease ?? 0,
  );

test('in the middle of a slow client’s body no transaction is open, and xmin does not age', () =>
  withBatches(
    async (test) => {
      const { body, answer } = begin(test, 'k');
      for (let parts = 1; parts <= 3; parts++) {
        body.write(lines(2));
        await until(
          async () =>
            (
              await test.query(
                'select from fairway.parts where attempt in (select id from fairway.attempts where lease_until is not null)',
              )
            ).length >= parts,
        );
        // The part's transaction ends; then nothing is left but waiting for the client.
        await until(async () => (await busy(test)).length === 0, 10_000);
        const meanwhile = [await transaction(test), await transaction(test), await transaction(test)];
        // Other tests share the server, and their transactions end.
        await until(async () => (await oldest(test)) > (meanwhile.at(-1) ?? 0n));
        expect(await busy(test)).toEqual([]);
      }
      body.end();
      expect((await answer).statusCode).toBe(201);
      expect(await items(test)).toBe(8);
    },
    { itemsPerPart: 2 },
  ));

test('the lease is renewed while COPY stalls, and the collector leaves its loader alone', () =>
  withBatches(
    async (test) => {
      const { body, answer } = begin(test, 'k');
      let first = 0;
      await test.database.transaction(async (client) => {
        await client.query('lock table fairway.segments in share mode');
        body.write(lines(4));
        await untilWaiting(test, 1);
        first = await leaseOf(test);
        expect(first).toBeGreaterThan(0);
        // Later than it would have lasted: whoever renewed it did so at least once.
        await until(async () => (await leaseOf(test)) > first + 200, 10_000);
        expect(await collect(test.database, test.emit)).toBe(0);
      });
      body.end();
      expect((await answer).json()).toMatchObject({ state: 'published', items: 6 });
      expect(await items(test)).toBe(6);
      expect(await orphans(test)).toEqual(none);
    },
    { itemsPerPart: 2, limits: { leaseMilliseconds: 200 } },
  ));
