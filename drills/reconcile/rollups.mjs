// Rollups equal the items of what was visible at the revision they stand for.

// Format: byte 0 the width of a count, byte 1 of a sum; then (day of the month from 0, count, sum), big-endian.
const number = (/** @type {string} */ start, /** @type {string} */ width) =>
  `('x' || lpad(encode(substring(payload from (${start}) for (${width})), 'hex'), 16, '0'))::bit(64)::bigint`;
const rolled = `
  select lane, month, get_byte(payload, at) as day, ${number('at + 2', 'cw')} as n, ${number('at + 2 + cw', 'sw')} as sum
  from (select lane, month, payload, get_byte(payload, 0) as cw, get_byte(payload, 1) as sw from fairway.rollups) r
  cross join lateral generate_series(2, length(payload) - 1, 1 + cw + sw) as at`;
const items = `
  select s.lane, ((extract(year from i.day) - 1970) * 12 + extract(month from i.day) - 1)::integer as month,
    extract(day from i.day)::integer - 1 as day, sum(i.n) as n, sum(i.total) as sum
  from fairway.batches b join fairway.segments s on s.attempt = b.attempt
  cross join lateral (
    select day, count(*) as n, sum(price::bigint) as total
    from fairway.unpack(s.format, s.first_day, s.items, s.payload) group by day
  ) i
  where b.published_revision <= $1 and (b.withdrawn_revision is null or b.withdrawn_revision > $1)
  group by 1, 2, 3`;

/** @param {import('pg').Client} client @param {import('./ledgers.mjs').Find} find @param {string[]} skipped */
export async function compareRollups(client, find, skipped) {
  const { rows: there } = await client.query(`select to_regclass('fairway.rollups') is not null as there`);
  if (!there[0].there) {
    skipped.push('rollups: there is no table fairway.rollups');
    return {};
  }
  const { rows: state } = await client.query('select revision from fairway.rollup_state');
  const revision = state[0].revision;
  const { rows } = await client.query(
    `select lane, month, day, r.n as rolled, r.sum as rolled_sum, i.n as items, i.sum as items_sum
     from (${rolled}) r full join (${items}) i using (lane, month, day)
     where r.n is distinct from i.n::bigint or r.sum is distinct from i.sum::bigint limit 5`,
    [revision],
  );
  for (const row of rows)
    find(
      'rollups',
      `at revision ${revision}, lane ${row.lane}, month ${row.month}, day ${row.day + 1}: rolled up ${row.rolled} (${row.rolled_sum}), items ${row.items} (${row.items_sum})`,
    );
  const { rows: count } = await client.query('select count(*)::integer as n from fairway.rollups');
  return { rollups: count[0].n, rollupRevision: Number(revision) };
}
