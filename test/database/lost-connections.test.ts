import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { withDatabase } from '../support/database.js';

const one = { text: 'select 1 as one' };

test('reads and transactions get through where each idle connection has died and none has been noticed', () =>
  withDatabase(async ({ database, url }) => {
    await withDeadConnections(database, url);
    expect(await database.read(one)).toEqual([{ one: 1 }]);
    await withDeadConnections(database, url);
    const { rows } = await database.transaction((client) => client.query(one));
    expect(rows).toEqual([{ one: 1 }]);
  }));

test('a transaction that loses its connection after it began is not repeated', () =>
  withDatabase(async ({ database }) => {
    await database.read(one);
    let times = 0;
    const lost = database.transaction(async (client) => {
      times++;
      await client.query('select pg_terminate_backend(pg_backend_pid())');
    });
    await expect(lost).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(times).toBe(1);
  }));

/** Fills the pool, then ends what it holds. */
async function withDeadConnections(database: Database, url: string): Promise<void> {
  const asked = [1, 2, 3, 4].map(() =>
    database.read({ text: 'select pg_backend_pid() as pid, pg_sleep(0.05)' }),
  );
  const backends = (await Promise.all(asked)).map(([row]) => row?.['pid'] as number);
  expect(new Set(backends).size).toBe(4);
  endOtherBackends(url);
}

/** Ends them from a process of its own, while this one stands still and hears of nothing. */
function endOtherBackends(url: string): void {
  const script = `
    import pg from 'pg';
    const client = new pg.Client(process.argv[1]);
    await client.connect();
    const others = "datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where " + others);
    for (let left = 1; left > 0; )
      left = (await client.query("select 1 from pg_stat_activity where " + others)).rows.length;
    await client.end();`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script, url]);
}
