// Peer (b): fastify and pg, one prepared statement over rollup rows, a row per priced day. No log, no checks, no cache:
// what the obvious service costs. Rows come as arrays of numbers, which is the cheapest `pg` offers.
import Fastify from 'fastify';
import pg from 'pg';

const millisecondsPerDay = 86_400_000;
const rate = {
  type: 'object',
  properties: {
    count: { type: 'integer', nullable: true },
    day: { type: 'string' },
    price: { type: 'number', nullable: true },
  },
};
const schema = {
  response: {
    200: { type: 'object', properties: { rates: { type: 'array', items: rate } } },
  },
};
const text = `select day, count, total from bench.rollup
  where orig = $1 and dest = $2 and day between $3::integer and $4::integer`;

process.once('message', (settings) => void serve(settings));
process.once('disconnect', () => process.exit());

async function serve({ connection, poolSize }) {
  const pool = new pg.Pool({ ...connection, max: poolSize });
  const server = Fastify({ logger: false });
  server.get('/rates', { schema }, async ({ query }) => {
    const from = Date.parse(query.date_from) / millisecondsPerDay;
    const to = Date.parse(query.date_to) / millisecondsPerDay;
    const values = [query.orig_code, query.dest_code, from, to];
    const { rows } = await pool.query({ name: 'rollup-rows', text, values, rowMode: 'array' });
    return { rates: perDay(rows, from, to) };
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  process.send({ url });
}

/** Newest first; days without a row have nulls. */
function perDay(rows, from, to) {
  const byDay = new Map(rows.map((row) => [row[0], row]));
  const rates = [];
  for (let day = to; day >= from; day--) {
    const [, count = 0, total = 0] = byDay.get(day) ?? [];
    rates.push({
      count: count === 0 ? null : count,
      day: formatDay(day),
      price: count < 3 ? null : total / count,
    });
  }
  return rates;
}

const days = new Map();

function formatDay(day) {
  let text = days.get(day);
  if (text === undefined) {
    text = new Date(day * millisecondsPerDay).toISOString().slice(0, 10);
    days.set(day, text);
  }
  return text;
}
