/** Plans of statements, as the connections of the service get them: what PostgreSQL expects must not lead it astray. */
import type { PoolClient, QueryConfig } from 'pg';
import { expect, test } from 'vitest';
import { totalsOfLanes } from '../../src/query/sql.js';
import { rollupMonth } from '../../src/rollup.js';
import { withDatabase } from '../support/database.js';

const first = 18_628;
const lanes = 4_000;

/** Attempts of a thousand segments each, the same days in each, their lanes as if by chance: PostgreSQL 18 takes a range of them for costlier by lane. */
const fill = (client: PoolClient, attempts: number): Promise<unknown> =>
  client.query(
    `insert into fairway.segments (lane, attempt, part, first_day, last_day, items, format, payload)
     select l.id, n / 1000 + 1, 1, day, day + 60, 1, 1, decode(repeat('00', 8), 'hex')
     from generate_series(0, ${attempts * 1_000 - 1}) n,
       lateral (select date '1970-01-01' + ${first} + abs(hashint4(n % 1000) % 3600)) as days (day),
       lateral (select id from fairway.lanes where orig_code = 'P' || abs(hashint4(-n) % ${lanes})) l
     order by n`,
  );

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Plan[];
}

/** By which indexes the generic plan of a statement reads a table; how, where it is by none. */
async function waysInto(client: PoolClient, table: string, statement: QueryConfig): Promise<Set<string>> {
  await client.query(`prepare planned as ${statement.text}`);
  const values = statement.values?.map((value) => `'${String(value)}'`).join(', ') ?? '';
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
    `explain (format json) execute planned (${values})`,
  );
  await client.query('deallocate planned');
  const ways = new Set<string>();
  const look = (plan: Plan, recheck = false): void => {
    const index = plan['Index Name'];
    if (index && (recheck || plan['Relation Name'] === table)) ways.add(index);
    else if (plan['Relation Name'] === table && plan['Node Type'] !== 'Bitmap Heap Scan')
      ways.add(plan['Node Type']);
    const bitmap = recheck || (plan['Relation Name'] === table && plan['Node Type'] === 'Bitmap Heap Scan');
    for (const child of plan.Plans ?? []) look(child, bitmap);
  };
  for (const { Plan } of rows[0]?.['QUERY PLAN'] ?? []) look(Plan);
  return ways;
}

test('what came since the rollups is read by the index of its lane, whatever PostgreSQL knows of the segments', () =>
  withDatabase(({ database }) =>
    database.withClient(async (client) => {
      await client.query(
        `insert into fairway.lanes (orig_code, dest_code) select 'P' || n, 'Q' from generate_series(0, ${lanes - 1}) n`,
      );
      const question = { origin: 'P7', destination: 'Q', from: first, to: first + 30 };
      const months = { fromMonth: rollupMonth(first), toMonth: rollupMonth(first + 30) };
      const runs = { first: [1], last: [100], change: [1] };
      const ways = (): Promise<Set<string>> =>
        waysInto(client, 'segments', totalsOfLanes([{ ...question, ...months }], runs));
      await fill(client, 100);
      expect(await ways()).toEqual(new Set(['segments_lane_days']));
      await client.query('analyze fairway.segments, fairway.lanes');
      expect(await ways()).toEqual(new Set(['segments_lane_days']));
      await client.query('truncate fairway.segments');
      await fill(client, 2);
      await client.query('analyze fairway.segments');
      expect(await ways()).toEqual(new Set(['segments_lane_days']));
    }),
  ));
