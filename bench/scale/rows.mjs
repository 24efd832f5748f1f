// The rows of bench/scale: each a case beside another, round by round in turn.
import { countingClient } from '../support/counted.mjs';
import { fixed, whole } from '../support/report.mjs';
import { median, medianRatio } from '../support/statistics.mjs';
import {
  busiestAndMedian,
  lanesOf,
  manyQuestions,
  regionPairs,
  sharedWindows,
  windows,
} from './questions.mjs';

const connections = 8;
/** Nobody answers more in a second than this. */
const mostPerSecond = 20_000;

/** Rounds of both in turn, who begins taking turns too; each a function of the round that gives figures. */
async function inTurn(rounds, left, right) {
  const [lefts, rights] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const one = async () => lefts.push(await left(round));
    const other = async () => rights.push(await right(round));
    for (const ask of round % 2 === 0 ? [one, other] : [other, one]) await ask();
  }
  return { lefts, rights };
}

const asker =
  ({ client, settings, progress }) =>
  (name, database, paths) =>
  async () => {
    progress.show(`${name}…`);
    const asked = paths.splice(0, Math.ceil(settings.seconds * mostPerSecond));
    const figures = await client.ask({
      url: database.url,
      paths: asked,
      connections,
      seconds: settings.seconds,
    });
    if (figures.failure !== undefined) throw new Error(`${name}: ${figures.failure}`);
    if (figures.faults > 0 || figures.requests === 0) throw new Error(`${name}: ${figures.faults} faults`);
    database.service.emptyLog();
    return figures;
  };

export async function largeRows(context) {
  const { open, settings, facts } = context;
  const wanted = settings.rounds * Math.ceil(settings.seconds * mostPerSecond);
  const [large, small] = [open('large'), open('small')];
  try {
    await fill(context, small, 1_000_000);
    await fill(context, large, settings.large);
    facts.push(await verified(context, large));
    const lanes = { large: await lanesOf(large), small: await lanesOf(small) };
    const steps = { ...context, ask: asker(context), wanted, large, small, lanes };
    await sizeRow(steps);
    await busiestRow(steps);
    await regionRow(steps);
    await togetherRow(steps);
  } finally {
    await large.stop();
    await small.stop();
  }
}

async function fill({ progress, facts }, database, items) {
  if (await database.start()) return;
  progress.show(`loading ${whole(items)} items…`);
  const loaded = await database.publish(database.sample(items, 2));
  const rolled = await database.rolledUp();
  facts.push(`${whole(items)} items: loaded in ${fixed(loaded, 1)} s, rolled up ${fixed(rolled, 1)} s later`);
  await database.tidy();
}

async function verified({ progress }, database) {
  progress.show('verifying…');
  const found = await database.command('verify');
  const [sizes] = await database.query(
    `select pg_total_relation_size('fairway.segments')::float8 as segments, pg_total_relation_size('fairway.rollups')::float8 as rollups,
       pg_total_relation_size('fairway.region_rollups')::float8 as regions`,
  );
  const perItem = (bytes) => fixed(bytes / found.items);
  return `${whole(found.items)} items on ${whole(found.lanes)} lanes verified in ${fixed(found.seconds, 1)} s; bytes an item with indexes: segments ${perItem(sizes.segments)}, rollups of lanes ${perItem(sizes.rollups)}, of regions ${perItem(sizes.regions)}`;
}

async function sizeRow({ settings, rows, ask, wanted, large, small, lanes }) {
  const many = await inTurn(
    settings.rounds,
    ask('first-time at the large one', large, windows(lanes.large, wanted)),
    ask('first-time at the small one', small, windows(lanes.small, wanted)),
  );
  rows.push(compared('first-time p99 at the large size', 'at 1M items', many, 'p99', { limit: 1.3 }));
}

async function busiestRow(context) {
  const { settings, rows, large } = context;
  const { busiest, median: middle, share } = await busiestAndMedian(large);
  const each = Math.floor(3_200 / settings.rounds);
  const few = (name, lane) => {
    const once = asker({ ...context, settings: { ...settings, seconds: each / mostPerSecond } });
    return once(name, large, windows([lane], each * settings.rounds));
  };
  const busy = await inTurn(settings.rounds, few('the busiest lane', busiest), few('a median lane', middle));
  const name = `the busiest lane's month (${fixed(share * 100, 1)} % of all items)`;
  rows.push(compared(name, "a median lane's month", busy, 'p50', { limit: 1.5 }));
}

async function regionRow({ settings, rows, ask, wanted, large, lanes }) {
  const pairs = await regionPairs(large);
  const ends = ['origin', 'destination'];
  const regions = await inTurn(
    settings.rounds,
    ask('regions', large, windows(pairs, Math.min(wanted, pairs.length * 2_000), { ends })),
    ask('lanes', large, windows(lanes.large, wanted)),
  );
  const name = `region to region month, first-time (${pairs.length} pairs)`;
  rows.push(compared(name, 'lane month', regions, 'p50', { limit: 3 }));
}

/** All lanes of a request are of the same 31 days, and so are a thousand requests after one another. */
async function togetherRow({ settings, rows, facts, ask, wanted, large, lanes, progress }) {
  const client = await countingClient(large.url);
  const posts = (kind, seconds) => async () => {
    progress.show(`${kind === sharedWindows ? '1,000 lanes' : '1,000 lanes, own days,'} in one request…`);
    return oneByOne(client, () => manyQuestions(kind(lanes.large, 1_000)), seconds);
  };
  const [shared, own] = [posts(sharedWindows, settings.seconds), posts(windows, settings.seconds / 2)];
  try {
    // The other side has answered for as long by now.
    await shared();
    await own();
    const together = await inTurn(
      settings.rounds,
      async () => ({ shared: await shared(), own: await own() }),
      ask('lanes', large, sharedWindows(lanes.large, wanted)),
    );
    const of = (kind) => together.lefts.map((each) => each[kind]);
    const others = together.rights.map(({ perSecond }) => 1_000 / perSecond);
    rows.push({
      name: '1,000 lanes × the same 31 days in one request',
      against: `1,000 first-time requests over ${connections} connections`,
      limit: 0.1,
      ratio: medianRatio(of('shared'), others),
      detail: `${fixed(median(of('shared')) * 1_000, 1)} ms, ${fixed(median(others) * 1_000, 1)} ms`,
    });
    facts.push(
      `1,000 lanes in one request, each of its own 31 days: ${fixed(median(of('own')) * 1_000, 1)} ms, ${fixed(medianRatio(of('own'), others))} of the same 1,000 requests`,
    );
  } finally {
    client.close();
  }
}

/** The middle of what they took, in seconds; making the bodies is not part of it. */
async function oneByOne(client, body, seconds) {
  const times = [];
  for (let left = seconds; left > 0; left -= times.at(-1)) {
    const asked = body();
    const begun = performance.now();
    const { status, bytes } = await client.post('/rates/query', asked);
    if (status !== 200 || bytes < 1_000_000) throw new Error(`${status}, ${bytes} bytes`);
    times.push((performance.now() - begun) / 1_000);
  }
  return median(times);
}

const compared = (name, against, { lefts, rights }, figure, goal) => {
  const of = (all) => all.map((each) => each[figure]);
  const text = (all) => `${fixed(median(of(all)))}${figure === 'perSecond' ? '/s' : ' ms'}`;
  return {
    name,
    against,
    ...goal,
    ratio: medianRatio(of(lefts), of(rights)),
    detail: `${figure}: ${text(lefts)}, ${text(rights)}`,
  };
};

export async function debtRows(context) {
  const { open, settings, progress, rows, facts } = context;
  const ask = asker(context);
  const wanted = settings.rounds * Math.ceil(settings.seconds * mostPerSecond);
  const database = open('behind');
  try {
    await database.start();
    const paused = async (name, publish) => {
      const release = await database.holdRoller();
      await publish();
      await database.query('analyze fairway.segments, fairway.batches, fairway.lanes');
      // Lanes are those of the sample, whichever were rolled up.
      const lanes = await database.query('select orig_code, dest_code from fairway.lanes');
      const pairs = lanes.map(({ orig_code, dest_code }) => [orig_code, dest_code]);
      const repeat = async (words) => {
        const figures = [];
        for (let round = 0; round < settings.rounds; round++)
          figures.push(await ask(`${name}, ${words}`, database, windows(pairs, wanted / settings.rounds))());
        return figures;
      };
      const behind = await repeat('behind');
      await release();
      progress.show(`${name}: rolling up…`);
      const rolled = await database.rolledUp();
      await database.tidy();
      const after = await repeat('rolled up');
      rows.push(
        compared(`roller held, after ${name}`, 'rolled up', { lefts: behind, rights: after }, 'perSecond', {
          limit: 0.3,
          least: true,
        }),
      );
      facts.push(`${name}: rolled up in ${fixed(rolled, 1)} s`);
    };
    await paused(`${whole(settings.middle)} items over ten years`, async () => {
      progress.show(`loading ${whole(settings.middle)} items…`);
      await database.publish(database.sample(settings.middle, 2));
    });
    await asOfRow(context, database, ask, wanted);
    // As many as the service lets wait before it refuses more, and as many as asked for.
    const bound = await database.setting('FAIRWAY_ROLLUP_DEBT');
    for (const count of new Set([Math.min(bound, settings.batches), settings.batches])) {
      await paused(`${whole(count)} batches of 50,000`, async () => {
        let done = 0;
        for await (const batch of database.batches(count, 50_000, 4)) {
          progress.show(`batch ${++done} of ${count}…`);
          await database.publish(batch);
        }
      });
    }
    facts.push(
      `admission refuses batches from ${bound} that wait to be rolled up (FAIRWAY_ROLLUP_DEBT), off here`,
    );
  } finally {
    await database.stop();
  }
}

async function asOfRow({ settings, progress, rows }, database, ask, wanted) {
  const back = 100;
  let done = 0;
  for await (const batch of database.batches(back, 50_000, 3)) {
    progress.show(`batch ${++done} of ${back}…`);
    await database.publish(batch);
  }
  await database.rolledUp();
  await database.tidy();
  const [{ revision }] = await database.query('select revision from fairway.head');
  const lanes = await lanesOf(database);
  const past = await inTurn(
    settings.rounds,
    ask('as of 100 revisions ago', database, windows(lanes, wanted, { more: `&as_of=${revision - back}` })),
    ask('now', database, windows(lanes, wanted)),
  );
  rows.push(compared(`as of ${back} revisions ago`, 'now', past, 'p50', { limit: 5 }));
}
