// What bench/scale asks: windows of a month, each asked once, by lane, by region, of the past.
import { randomNumbers, shuffle } from '../support/statistics.mjs';

const first = Date.UTC(2021, 0, 1) / 86_400_000;
const days = 3_652;
const dayText = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10);

const random = randomNumbers(7);

/** Paths of windows of 31 days, any of them; never the same one twice. */
export function windows(pairs, count, { ends = ['orig_code', 'dest_code'], more = '' } = {}) {
  const seen = new Set();
  const paths = [];
  while (paths.length < count) {
    const [from, to] = pairs[Math.floor(random() * pairs.length)];
    const start = first + Math.floor(random() * (days - 31));
    const path = `/rates?date_from=${dayText(start)}&date_to=${dayText(start + 30)}&${ends[0]}=${from}&${ends[1]}=${to}${more}`;
    if (seen.has(path)) continue;
    seen.add(path);
    paths.push(path);
    if (seen.size > pairs.length * (days - 31) * 0.9) throw new Error('there are not so many windows');
  }
  return paths;
}

/** Every lane that has items, as [origin, destination]. */
export async function lanesOf(database) {
  const rows = await database.query(
    'select distinct l.orig_code, l.dest_code from fairway.rollups r join fairway.lanes l on l.id = r.lane',
  );
  return shuffle(
    rows.map(({ orig_code, dest_code }) => [orig_code, dest_code]),
    random,
  );
}

/** Lanes by the number of their items: the busiest one with its share, and one in the middle. */
export async function busiestAndMedian(database) {
  const rows = await database.query(
    `select l.orig_code, l.dest_code, sum(s.items)::bigint as items from fairway.segments s join fairway.lanes l on l.id = s.lane
     group by 1, 2 order by 3 desc`,
  );
  const total = rows.reduce((sum, { items }) => sum + Number(items), 0);
  const lane = ({ orig_code, dest_code }) => [orig_code, dest_code];
  return {
    busiest: lane(rows[0]),
    share: Number(rows[0].items) / total,
    median: lane(rows[rows.length >> 1]),
  };
}

/** Pairs of regions between which there are lanes, whether they have rollups of their own or not: [origin, destination]. */
export async function regionPairs(database) {
  const rows = await database.query(
    `with recursive now as (select kind, code, parent from fairway.places where until_revision is null),
       above as (select code as port, parent as slug from now where kind = 'port'
         union all select a.port, n.parent from above a join now n on n.kind = 'region' and n.code = a.slug where n.parent is not null)
     select distinct o.slug as origin, d.slug as destination from fairway.lanes l
     join above o on o.port = l.orig_code join above d on d.port = l.dest_code where l.orig_code <> l.dest_code`,
  );
  return rows.map(({ origin, destination }) => [origin, destination]);
}

/** A body of POST /rates/query: so many lanes, a month each. */
export function manyQuestions(lanes, count) {
  const questions = windows(lanes, count).map((path) =>
    Object.fromEntries(new URLSearchParams(path.split('?')[1])),
  );
  return JSON.stringify({ questions });
}
