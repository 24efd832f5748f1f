// What bench/scale asks: windows of a month, each asked once, by lane, by region, of the past.
import { randomNumbers, shuffle } from '../support/statistics.mjs';

const first = Date.UTC(2021, 0, 1) / 86_400_000;
const days = 3_652;
const dayText = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10);

const random = randomNumbers(7);

const pathOf = ([from, to], start, ends = ['orig_code', 'dest_code'], more = '') =>
  `/rates?date_from=${dayText(start)}&date_to=${dayText(start + 30)}&${ends[0]}=${from}&${ends[1]}=${to}${more}`;

const anyStart = () => first + Math.floor(random() * (days - 31));

/** Paths of windows of 31 days, any of them; never the same one twice. */
export function windows(pairs, count, { ends, more } = {}) {
  const seen = new Set();
  const paths = [];
  while (paths.length < count) {
    const path = pathOf(pairs[Math.floor(random() * pairs.length)], anyStart(), ends, more);
    if (seen.has(path)) continue;
    seen.add(path);
    paths.push(path);
    if (seen.size > pairs.length * (days - 31) * 0.9) throw new Error('there are not so many windows');
  }
  return paths;
}

/** The same as a dashboard asks: one window for so many lanes, each another one, then the next window. */
export function sharedWindows(pairs, count, lanes = 1_000) {
  const seen = new Set();
  const paths = [];
  while (paths.length < count) {
    const start = anyStart();
    if (seen.has(start)) continue;
    seen.add(start);
    paths.push(
      ...shuffle([...pairs], random)
        .slice(0, lanes)
        .map((pair) => pathOf(pair, start)),
    );
    if (seen.size > (days - 31) * 0.9) throw new Error('there are not so many windows');
  }
  return paths.slice(0, count);
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

/** A body of POST /rates/query that asks what these paths do. */
export const manyQuestions = (paths) =>
  JSON.stringify({
    questions: paths.map((path) => Object.fromEntries(new URLSearchParams(path.split('?')[1]))),
  });
