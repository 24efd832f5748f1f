// What both peers are asked about: the same items, as the rollup table of peer (b) and as a list of questions.
import { randomNumbers, shuffle } from './statistics.mjs';

export const readmeQuestion = {
  origin: 'CNGGZ',
  destination: 'EETLL',
  from: '2021-01-01',
  to: '2021-01-31',
};

/** Prices behind the README's question: three a day. */
const readmeItems = 93;

export const pathOf = ({ origin, destination, from, to }) =>
  `/rates?date_from=${from}&date_to=${to}&orig_code=${origin}&dest_code=${destination}`;

/** Fills bench.rollup from the visible items, unless it holds those of this revision already. */
export async function fillRollup(client) {
  const { rows } = await client.query(`select 'revision ' || revision as wanted,
    obj_description(to_regclass('bench.rollup'), 'pg_class') as found from fairway.head`);
  const [{ wanted, found }] = rows;
  if (wanted === found) return;
  await client.query(`begin;
    drop schema if exists bench cascade;
    create schema bench;
    create table bench.rollup as
      select orig_code as orig, dest_code as dest, day - date '1970-01-01' as day,
        count(*)::integer as count, sum(price)::double precision as total
      from fairway.items group by 1, 2, 3 order by 1, 2, 3;
    alter table bench.rollup add primary key (orig, dest, day);
    comment on table bench.rollup is '${wanted}';
    commit`);
  await client.query('vacuum analyze');
}

export async function countItems(client) {
  const { rows } = await client.query(
    `select sum(count)::integer as items, count(distinct (orig, dest))::integer as lanes from bench.rollup`,
  );
  return rows[0];
}

/**
 * Distinct questions about windows of a month (31 days; shorter months where there are not enough), those that are
 * most like the README's first: as many priced days, about as many prices. Shuffled, the same way each time.
 * Its own lane is left out, so that no answer to it is ever asked for here.
 */
export async function listQuestions(client, wanted) {
  const questions = [];
  for (const length of [31, 30, 29, 28]) {
    if (questions.length >= wanted) break;
    const { rows } = await client.query({ text: windows, values: [length, wanted - questions.length] });
    for (const row of rows) questions.push(row);
  }
  return shuffle(questions, randomNumbers(1));
}

const windows = `
  select orig as origin, dest as destination, priced::integer as days, items::integer,
    to_char(date '1970-01-01' + day - ($1::integer - 1), 'YYYY-MM-DD') as "from",
    to_char(date '1970-01-01' + day, 'YYYY-MM-DD') as "to"
  from (
    select orig, dest, day, count(*) over month as priced, sum(count) over month as items
    from bench.rollup
    where (orig, dest) <> ('${readmeQuestion.origin}', '${readmeQuestion.destination}')
    window month as (partition by orig, dest order by day range between ($1::integer - 1) preceding and current row)
  ) w
  order by priced desc, abs(items - ${readmeItems}), orig, dest, day
  limit $2`;
