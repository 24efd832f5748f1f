// A reader: asks lanes and regions all the time. What can be seen from one answer alone is checked at once; whether it is
// what stood there at its revision, reconcile.mjs finds from the ledgers.
import { setTimeout as delay } from 'node:timers/promises';
import { dayOf, daysOfGroup, destinations, origins } from './batches.mjs';
import { Client } from './client.mjs';
import { Ledger } from './ledger.mjs';
import { randomFrom } from './random.mjs';

/** Between two questions, so that the writers get their share of a small machine, and ledgers stay small. */
const pauseMilliseconds = 4;

/** Places to ask for, with the number of ports below. */
const from = [
  ...origins.map((place) => ({ place, ports: 1 })),
  { place: 'drill_west', ports: 4 },
  { place: 'drill_west_a', ports: 2 },
  { place: 'drill_west_b', ports: 2 },
];
const to = [...destinations.map((place) => ({ place, ports: 1 })), { place: 'drill_east', ports: 3 }];

/**
 * @param {object} load
 * @param {number} load.number
 * @param {number} load.seed
 * @param {import('./writer.mjs').Group[]} load.groups
 * @param {string} load.folder
 * @param {() => string} load.url
 * @param {Map<number, { count: number, price: number }>} load.steady totals of a cell in groups where they never change
 * @param {Record<string, number>} load.counts
 * @param {import('./ledger.mjs').Findings} load.findings
 * @param {() => boolean} load.stopped
 */
export async function read(load) {
  const name = `reader-${String(load.number).padStart(2, '0')}`;
  const random = randomFrom(load.seed * 1_000 + 500 + load.number);
  const ledger = new Ledger(load.folder, name);
  const client = new Client(load.url);
  let newest = 0;
  try {
    while (!load.stopped()) {
      const { group } = random.of(load.groups);
      const [origin, destination] = [random.of(from), random.of(to)];
      const path = `/rates?date_from=${dayOf(group, 0)}&date_to=${dayOf(group, daysOfGroup - 1)}&origin=${origin.place}&destination=${destination.place}`;
      const answer = await client.send('GET', path);
      if (answer.status === 200) {
        const lanes = origin.ports * destination.ports;
        newest = judge(load, { ledger, newest, group, lanes, path }, answer);
      } else {
        load.counts.unanswered++;
        const line = ledger.write({ path, status: answer.status, lost: answer.lost });
        if (answer.status !== 0 && answer.status !== 503)
          load.findings.add('answers', `${line}: ${answer.status}`);
      }
      await delay(pauseMilliseconds);
    }
  } finally {
    client.close();
    ledger.close();
  }
}

/**
 * Returns the newest revision seen.
 * @param {Parameters<typeof read>[0]} load
 * @param {{ ledger: Ledger, newest: number, group: number, lanes: number, path: string }} asked
 * @param {import('./client.mjs').Answer} answer
 */
function judge({ counts, findings, steady }, { ledger, newest, group, lanes, path }, answer) {
  const revision = Number(answer.headers['rates-revision']);
  /** @type {{ count: number | null, price: number | null }[]} */
  const days = answer.body?.rates ?? [];
  const count = days[0]?.count ?? 0;
  const price = days[0]?.price ?? null;
  const sum = price === null ? null : Math.round(price * count);
  const line = ledger.write({ group, lanes, revision, count, sum, path });
  counts.answers++;
  if (count > 0) counts.filled++;
  const even =
    days.length === daysOfGroup && days.every((day) => (day.count ?? 0) === count && day.price === price);
  if (!even || count % lanes !== 0)
    findings.add('whole', `${line}: part of a batch shows: ${JSON.stringify(days)} over ${lanes} lanes`);
  const same = steady.get(group);
  if (same && count > 0) counts.steady++;
  if (same && (count !== same.count * lanes || (sum !== null && sum !== count * same.price)))
    findings.add(
      'whole',
      `${line}: ${count} items of sum ${sum} where ${same.count * lanes} at ${same.price} always are`,
    );
  if (!(revision >= newest))
    findings.add('forward', `${line}: revision ${revision} after an answer of ${newest}`);
  return Math.max(newest, revision);
}
