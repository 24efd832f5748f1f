// Nothing is left of tries that came to nothing: the collector ran before.

/** Each names rows that nobody can ever use. */
const leftovers = {
  'attempts that neither load nor are collected': `select a.id from fairway.attempts a join fairway.batches b on b.id = a.batch
    where a.state <> 'collected' and b.attempt is distinct from a.id`,
  'attempts that are published, but dead': `select a.id from fairway.attempts a join fairway.batches b on b.attempt = a.id
    where a.state <> 'loading'`,
  'segments of no published attempt': `select distinct s.attempt as id from fairway.segments s
    where not exists (select from fairway.batches b where b.attempt = s.attempt)`,
  'parts of no published attempt': `select distinct p.attempt as id from fairway.parts p
    where not exists (select from fairway.batches b where b.attempt = p.attempt)`,
};

/** @param {import('pg').Client} client @param {import('./ledgers.mjs').Find} find */
export async function findLeftovers(client, find) {
  for (const [name, text] of Object.entries(leftovers)) {
    const { rows } = await client.query(text);
    if (rows.length > 0)
      find(
        'clean',
        `${rows.length} ${name}: ${rows
          .slice(0, 5)
          .map((row) => row.id)
          .join(', ')}`,
      );
  }
  const { rows } = await client.query('select count(*)::integer as attempts from fairway.attempts');
  return { attempts: rows[0].attempts };
}
