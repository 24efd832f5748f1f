// The database of bench/ingest, asked beside what is measured: the peer's tables, counts, log and table sizes.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const settleMilliseconds = 600_000;

export async function openDatabase(connection) {
  const client = new pg.Client(connection);
  // A server that ends is told of by whoever asks it next.
  client.on('error', () => undefined);
  await client.connect();
  const one = async (text, values) => (await client.query(text, values)).rows[0];
  return {
    connection,
    end: () => client.end(),
    settings: () =>
      one(`select current_setting('server_version') as postgres, current_setting('wal_level') as wal_level,
        current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
        current_setting('shared_buffers') as shared_buffers, current_setting('max_wal_size') as max_wal_size`),
    /** Empty, logged, made in a transaction before: as a table is that stands in a database. */
    makeTables: () => client.query(`create schema bench; ${['plain', 'indexed'].map(tableOf).join('')}`),
    empty: (table) => client.query(`truncate bench.${table}`),
    /** As after a restore: loaded without its index, which is made then. */
    fillIndexed: async (load) => {
      await client.query('drop index if exists bench.indexed_lane; truncate bench.indexed');
      await load();
      await client.query('create index indexed_lane on bench.indexed (orig_code, dest_code, day)');
      await client.query('vacuum analyze bench.indexed');
    },
    count: async (table) => Number((await one(`select count(*) as count from bench.${table}`)).count),
    /** Items of a batch, counted in its segments. */
    itemsOf: async (batch) =>
      Number(
        (
          await one(
            `select sum(s.items) as items from fairway.batches b join fairway.segments s on s.attempt = b.attempt where b.id = $1`,
            [batch],
          )
        ).items,
      ),
    lanes: async () =>
      (
        await client.query(
          'select orig_code as origin, dest_code as destination from fairway.lanes order by id',
        )
      ).rows,
    /** Bytes written ahead so far, and bytes of the segments with their indexes. */
    bytes: async () => {
      const row = await one(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal,
        pg_total_relation_size('fairway.segments') as segments`);
      return { wal: Number(row.wal), segments: Number(row.segments) };
    },
    /** Each measurement begins the same: rollups are up to date, and nothing waits to be written. */
    settle: async (url) => {
      const until = performance.now() + settleMilliseconds;
      for (;;) {
        const { behind } = await one(
          `select h.revision > s.revision as behind from fairway.head h, fairway.rollup_state s`,
        );
        if (!behind) break;
        if (performance.now() > until) throw new Error('the rollups do not come up to date');
        // Whoever asks a question finds them behind and has them brought up.
        await (
          await fetch(`${url}/rates?date_from=2021-01-01&date_to=2021-01-31&orig_code=CNGGZ&dest_code=EETLL`)
        ).text();
        await delay(100);
      }
      await client.query('checkpoint');
    },
  };
}

const tableOf = (name) =>
  `create table bench.${name} (orig_code text, dest_code text, day date, price integer);`;
