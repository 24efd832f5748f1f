// The load of a drill: places, groups of batches, writers and readers for so many seconds, then every key's verdict.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { destinations, makeSpec, origins, regionOf, regions } from './batches.mjs';
import { Client } from './client.mjs';
import { deliver } from './delivery.mjs';
import { Ledger } from './ledger.mjs';
import { randomFrom } from './random.mjs';
import { read } from './reader.mjs';
import { write } from './writer.mjs';

/** For keys of unknown outcome, after the load has ended. */
const settleMilliseconds = 120_000;
const writersOfGroup = 2;
/** One group of so many is only replaced into. */
const steadyEvery = 4;
const counted =
  'published replaced withdrawn rejected refused repeated cut large kills lags answers filled steady unanswered ' +
  'past again csv statistics many sources changes revisions';

/** @param {() => string} url */
export async function makePlaces(url) {
  const client = new Client(url);
  const put = async (/** @type {string} */ path, /** @type {object} */ value) => {
    const { status, lost, body } = await client.send('PUT', path, {
      headers: { 'content-type': 'application/json' },
      body: [Buffer.from(JSON.stringify(value))],
    });
    if (status !== 200 && status !== 201)
      throw new Error(`PUT ${path}: ${lost ?? status} ${JSON.stringify(body)}`);
  };
  for (const { slug, parent } of regions) await put(`/regions/${slug}`, { name: slug, parent });
  for (const port of [...origins, ...destinations])
    await put(`/ports/${port}`, { name: port, parent: regionOf(port) });
  client.close();
}

/**
 * Runs the load. Returns what was counted; what was found is in `findings`.
 * @param {{ seconds: number, writers: number, readers: number, seed: number, largeEvery: number, goOn: boolean, folder: string,
 *   url: () => string, findings: import('./ledger.mjs').Findings, onProgress: (counts: Record<string, number>) => void,
 *   standby: boolean, ready: () => Promise<unknown>,
 *   beside: (stopped: () => boolean, counts: Record<string, number>) => Promise<unknown> }} options `ready` resolves when
 *   readers may begin, `beside` happens meanwhile
 */
export async function runLoad(options) {
  const { seconds, writers, readers, seed, folder, url, findings, goOn, onProgress, ready, beside } = options;
  const ledgers = join(folder, 'ledgers');
  mkdirSync(ledgers);
  await makePlaces(url);
  /** @type {Record<string, number>} */
  const counts = Object.fromEntries(counted.split(' ').map((name) => [name, 0]));
  const groups = Array.from({ length: Math.ceil(writers / writersOfGroup) }, (_, group) => ({
    group,
    steady: group % steadyEvery === 0,
    live: new Map(),
  }));
  const known = { first: 0, newest: 0 };
  const common = { ...options, folder: ledgers, counts, known };
  const steady = await publishFirst(common, groups);
  await ready();
  const begun = performance.now();
  let over = false;
  if (!goOn) findings.onFirst = () => (over = true);
  const stopped = () => over || performance.now() - begun > seconds * 1_000;
  const givenUp = () => performance.now() - begun > seconds * 1_000 + settleMilliseconds;
  const progress = setInterval(() => onProgress(counts), 1_000);
  try {
    await Promise.all([
      ...Array.from({ length: writers }, (_, number) =>
        write({ ...common, number, group: groups[number % groups.length] ?? groups[0], stopped, givenUp }),
      ),
      ...Array.from({ length: readers }, (_, number) => read({ ...common, number, groups, steady, stopped })),
      beside(stopped, counts),
    ]);
  } finally {
    clearInterval(progress);
  }
  return { counts, ledgers, seconds: (performance.now() - begun) / 1_000, seed };
}

/**
 * The batches of steady groups, before anybody reads.
 * @param {any} load
 * @param {import('./writer.mjs').Group[]} groups
 */
async function publishFirst({ seed, folder, url, counts, findings, known }, groups) {
  const random = randomFrom(seed);
  const ledger = new Ledger(folder, 'first');
  const client = new Client(url);
  const hands = { client, ledger, findings, givenUp: () => false };
  const steady = new Map();
  for (const { group, live, steady: isSteady } of groups) {
    if (!isSteady) continue;
    const spec = makeSpec(random, group, false);
    const { id, verdict, revision } = await deliver(hands, { op: 'publish', key: `first-${group}`, spec });
    if (id === undefined || verdict !== 'published')
      throw new Error(`the first batch of group ${group}: ${verdict}`);
    counts.published++;
    live.set(id, spec);
    steady.set(group, spec);
    known.first = known.newest = Number(revision);
  }
  client.close();
  ledger.close();
  return steady;
}
