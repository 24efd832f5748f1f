// A writer: publishes, replaces and withdraws batches of known sums until told to stop, some broken, some cut on purpose.
import { itemsOf, makeSpec, origins, destinations, dayOf, daysOfGroup } from './batches.mjs';
import { Client } from './client.mjs';
import { deliver, withdraw } from './delivery.mjs';
import { Ledger } from './ledger.mjs';
import { randomFrom } from './random.mjs';

/** Published batches of a group beyond which more is withdrawn than published. */
const mostLive = 6;
const faults = /** @type {const} */ (['port', 'price', 'count', 'quote']);

/**
 * What the writers of a group share. A steady group is only ever replaced into: its totals never change.
 * @typedef {{ group: number, steady: boolean, live: Map<string, import('./batches.mjs').Spec> }} Group
 */

/**
 * @param {object} load
 * @param {number} load.number
 * @param {number} load.seed
 * @param {Group} load.group
 * @param {string} load.folder
 * @param {() => string} load.url
 * @param {number} load.largeEvery one batch of so many has more than a million items
 * @param {{ newest: number }} load.known the newest revision that any client was told
 * @param {boolean} load.standby
 * @param {Record<string, number>} load.counts
 * @param {import('./ledger.mjs').Findings} load.findings
 * @param {() => boolean} load.stopped
 * @param {() => boolean} load.givenUp
 */
export async function write(load) {
  const name = `writer-${String(load.number).padStart(2, '0')}`;
  const random = randomFrom(load.seed * 1_000 + load.number);
  const ledger = new Ledger(load.folder, name);
  const client = new Client(load.url);
  const writer = {
    ...load,
    name,
    random,
    ledger,
    client,
    keys: 0,
    newest: 0,
    hands: { client, ledger, findings: load.findings, givenUp: load.givenUp },
  };
  try {
    while (!load.stopped()) await step(writer);
  } finally {
    client.close();
    ledger.close();
  }
}

/** @typedef {Parameters<typeof write>[0] & { name: string, random: ReturnType<typeof randomFrom>, ledger: Ledger, client: Client, keys: number, newest: number, hands: any }} Writer */

/** @param {Writer} writer */
async function step(writer) {
  const { group, random, counts } = writer;
  const { live, steady } = group;
  const targets = [...live.keys()];
  const chance = random.next();
  if (chance < 0.12 && writer.keys > 0) return broken(writer);
  if (steady || (chance < 0.4 && targets.length > 0)) return replace(writer, targets);
  if (targets.length > 0 && (chance < 0.52 || targets.length > mostLive)) {
    const id = random.of(targets);
    live.delete(id);
    const { verdict } = await withdraw(writer.hands, id);
    if (verdict === 'withdrawn') counts.withdrawn++;
    return;
  }
  // The first batch of the second writer too: a short drill has a large one as well.
  const large = random.chance(1 / writer.largeEvery) || (writer.number === 1 && writer.keys === 0);
  await publish(writer, 'publish', makeSpec(random, group.group, large), undefined);
}

/** @param {Writer} writer */
const nextKey = (writer) => `${writer.name}-${++writer.keys}`;

/**
 * @param {Writer} writer
 * @param {string} op
 * @param {import('./batches.mjs').Spec} spec
 * @param {string | undefined} replaces
 * @param {string} [key]
 */
async function publish(writer, op, spec, replaces, key = nextKey(writer)) {
  const { random, hands, counts, findings, group } = writer;
  const cutShare = random.chance(0.12) ? random.of([random.next(), random.next(), 1]) : undefined;
  const what = { op, key, spec, ...(replaces === undefined ? {} : { replaces }) };
  if (cutShare !== undefined) counts.cut++;
  const told = await deliver(hands, cutShare === undefined ? what : { ...what, cutShare });
  if (told.verdict === 'refused' && replaces !== undefined) {
    counts.refused++;
    return;
  }
  if (told.verdict !== 'published' || told.id === undefined) {
    if (told.verdict !== 'unknown') findings.add('answers', `${told.line}: a good batch was ${told.verdict}`);
    return;
  }
  counts[replaces === undefined ? 'published' : 'replaced']++;
  if (itemsOf(spec) > 1_000_000) counts.large++;
  checkAcknowledged(writer, spec, told);
  group.live.set(told.id, spec);
  await readOwn(writer, told);
  if (random.chance(0.2)) await repeatKnown(writer, what, told);
}

/** @param {Writer} writer @param {import('./batches.mjs').Spec} spec @param {any} told */
function checkAcknowledged({ findings }, spec, { line, answer, revision }) {
  const { items, state } = answer.body;
  if (!Number.isSafeInteger(revision))
    findings.add('kept', `${line}: acknowledged without a revision (${state})`);
  else if (items !== itemsOf(spec))
    findings.add('kept', `${line}: acknowledged with ${items} items instead of ${itemsOf(spec)}`);
}

/** What was acknowledged shows: no answer after it is of an older revision. @param {Writer} writer @param {any} told */
async function readOwn(writer, { revision, line }) {
  const { client, group, findings, random } = writer;
  writer.newest = Math.max(writer.newest, revision ?? 0);
  writer.known.newest = Math.max(writer.known.newest, writer.newest);
  const [from, to] = [dayOf(group.group, 0), dayOf(group.group, daysOfGroup - 1)];
  // A standby may be behind, and is told what was seen.
  const least = writer.standby ? `&min_revision=${writer.newest}` : '';
  const path = `/rates?date_from=${from}&date_to=${to}&origin=${random.of(origins)}&destination=${random.of(destinations)}${least}`;
  const answer = await client.send('GET', path);
  if (answer.status !== 200) return;
  const read = Number(answer.headers['rates-revision']);
  if (read < writer.newest)
    findings.add(
      'forward',
      `${line}: acknowledged up to revision ${writer.newest}, then an answer of ${read}`,
    );
  writer.newest = Math.max(writer.newest, read);
}

/** The same key and content once more: the same batch. @param {Writer} writer @param {any} what @param {any} told */
async function repeatKnown({ hands, findings, counts }, what, { id, revision }) {
  const again = await deliver(hands, { ...what, op: 'repeat' });
  if (again.verdict === 'unknown') return;
  counts.repeated++;
  if (again.id !== id || again.revision !== revision || again.answer.status !== 200)
    findings.add(
      'once',
      `${again.line}: a repeat of the key of batch ${id} (revision ${revision}) made another`,
    );
}

/** @param {Writer} writer */
async function broken(writer) {
  const { random, group, hands, counts, findings } = writer;
  const good = makeSpec(random, group.group, false);
  const key = nextKey(writer);
  const fault = random.of(faults);
  const told = await deliver(hands, { op: 'broken', key, spec: { ...good, fault } });
  if (told.verdict === 'unknown') return;
  if (told.verdict !== 'rejected') {
    findings.add('answers', `${told.line}: a batch with a fault was ${told.verdict}`);
    return;
  }
  counts.rejected++;
  // Where only the declared count was wrong the content is the rejected one, and so is its verdict.
  if (!group.steady && fault !== 'count' && random.chance(0.3))
    await publish(writer, 'corrected', good, undefined, key);
}

/** Now and then one that another writer may be replacing too: only one of them may. @param {Writer} writer @param {string[]} targets */
async function replace(writer, targets) {
  const { random, group } = writer;
  if (targets.length === 0) {
    // Lost to another writer of the group, which will put its own one here.
    await readOwn(writer, { revision: 0, line: writer.name });
    return;
  }
  const id = random.of(targets);
  const before = group.live.get(id);
  if (!before) return;
  const contested = random.chance(0.3);
  if (!contested) group.live.delete(id);
  const spec = { ...before, shift: (before.shift + random.whole(1, 900)) % 1_900 };
  await publish(writer, 'replace', spec, id);
  group.live.delete(id);
}
