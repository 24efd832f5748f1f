/** What clients of batches in parts do while the sweep cuts: open, send, publish, and all of it again with the same key. */
import { FairwayError } from '../../../src/errors.js';
import { collect } from '../../../src/ingest/collect.js';
import { listParts } from '../../../src/ingest/parted.js';
import { Uploads } from '../../../src/ingest/pipeline.js';
import { csv, type Item } from '../batches.js';
import { partOf } from '../parts.js';
import { bytes, upload } from '../uploads.js';
import type { Answer, Effect, Process, Run, Scenario } from './scenarios.js';

const first: Item[] = [
  ['AAAAA', 'BBBBB', '2022-01-01', 10],
  ['CCCCC', 'BBBBB', '2022-01-01', 30],
  ['CCCCC', 'BBBBB', '2022-01-01', 30],
];
const second: Item[] = [
  ['AAAAA', 'BBBBB', '2022-01-02', 20],
  ['AAAAA', 'BBBBB', '2023-06-30', 60],
];
const good = [first, second];
/** Of another content than the first, and of more lanes. */
const wrong: Item[] = [...first, ['BBBBB', 'AAAAA', '2022-01-01', 1]];

const { caller } = upload;
const published: Effect = { state: 'published', items: good.flat(), revisions: 1 };

const open = ({ context }: Process, { key, given }: Run, replacing = false) =>
  new Uploads(context).parted.open({
    caller,
    key,
    format: null,
    replaces: replacing ? (given ?? null) : null,
  });

async function put({ context }: Process, batch: string, part: number, items: Item[]): Promise<void> {
  const body = csv(items);
  const verdict = await new Uploads(context).parted.put(partOf(batch, part, body), bytes(body));
  if (!('part' in verdict)) throw new Error('a good part is refused');
}

const publish = ({ context }: Process, batch: string, parts: number, items: number) =>
  new Uploads(context).parted.publish(batch, caller, { parts, items });

const closed = new Set(['batch_state', 'batch_unknown']);
const mostTries = 10;

interface Way {
  replacing?: boolean;
  /** Both parts at the same time. */
  atOnce?: boolean;
  /** It asks for publication before the last part is there, too, and must be refused. */
  early?: boolean;
  /** There may be a part more: then it is given up and begun anew. */
  strayed?: boolean;
}

/** What has been published, expired or given up meanwhile is opened again: the key says which. */
async function send(process: Process, run: Run, way: Way = {}): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await sendOnce(process, run, way);
    } catch (error) {
      if (!(error instanceof FairwayError && closed.has(error.code)) || tries === mostTries) throw error;
    }
  }
}

async function sendOnce(process: Process, run: Run, way: Way): Promise<Answer> {
  const { replacing, atOnce, early, strayed } = way;
  const { batch, repeated } = await open(process, run, replacing);
  if (batch.state !== 'loading') return { batch };
  if (atOnce) await Promise.all([put(process, batch.id, 1, first), put(process, batch.id, 2, second)]);
  else {
    await put(process, batch.id, 1, first);
    // Where it is repeated the other part may be there.
    if (early && !repeated) await askTooEarly(process, batch.id);
    await put(process, batch.id, 2, second);
  }
  try {
    return { batch: await publish(process, batch.id, 2, good.flat().length) };
  } catch (error) {
    if (!strayed || !isIncomplete(error)) throw error;
    await new Uploads(process.context).parted.giveUp(batch.id);
    return sendOnce(process, run, way);
  }
}

const isIncomplete = (error: unknown): boolean =>
  error instanceof FairwayError && error.code === 'parts_incomplete';

/** Throws anything else than `parts_incomplete`. While this one was held another may have sent all parts, and published. */
async function askTooEarly(process: Process, batch: string): Promise<void> {
  try {
    await publish(process, batch, 2, good.flat().length);
  } catch (error) {
    if (isIncomplete(error)) return;
    throw error;
  }
  const { parts } = await listParts(process.database, batch, caller, { after: '0', limit: 9 });
  if (parts.length < 2) throw new Error('published without its last part');
}

const other = (run: Run): Run => ({ ...run, key: `${run.key} before` });

/** One with a wrong part, and nobody who sends. */
async function leaveOpen(process: Process, run: Run): Promise<string> {
  const { batch } = await open(process, run);
  await put(process, batch.id, 1, wrong);
  return batch.id;
}

const expire = ({ database }: Process, batch: string): Promise<unknown> =>
  database.withClient((client) =>
    client.query("update fairway.attempts set lease_until = now() - interval '1 second' where batch = $1", [
      batch,
    ]),
  );

const itemsPerPart = 2;

export const partedScenarios: readonly Scenario[] = [
  { name: 'in parts', itemsPerPart, send: (process, run) => send(process, run), effect: published },
  {
    name: 'a part too late',
    itemsPerPart,
    prepare: async (process, run) => (await open(process, run)).batch.id,
    disturbed: (process, { given = '' }) => put(process, given, 3, wrong),
    send: (process, run) => send(process, run, { strayed: true }),
    effect: published,
  },
  {
    name: 'a part in the place of another',
    itemsPerPart,
    prepare: leaveOpen,
    send: (process, run) => send(process, run),
    effect: published,
  },
  {
    name: 'parts that replace',
    itemsPerPart,
    prepare: async (process, run) => (await send(process, other(run))).batch.id,
    send: (process, run) => send(process, run, { replacing: true }),
    effect: { ...published, replaces: true },
  },
  {
    name: 'parts at once',
    itemsPerPart,
    send: (process, run) => send(process, run, { atOnce: true }),
    effect: published,
  },
  {
    name: 'published too early',
    itemsPerPart,
    send: (process, run) => send(process, run, { early: true }),
    effect: published,
  },
  {
    name: 'published again',
    itemsPerPart,
    prepare: async (process, run) => (await send(process, run)).batch.id,
    send: async (process, { given = '' }) => ({
      batch: await publish(process, given, 2, good.flat().length),
    }),
    effect: { ...published, revisions: 0 },
  },
  {
    name: 'a part again',
    itemsPerPart,
    prepare: async (process, run) => {
      const { batch } = await open(process, run);
      await put(process, batch.id, 1, first);
      return undefined;
    },
    send: (process, run) => send(process, run),
    effect: published,
  },
  {
    name: 'given up',
    itemsPerPart,
    prepare: leaveOpen,
    disturbed: ({ context }, { given = '' }) => new Uploads(context).parted.giveUp(given),
    send: (process, run) => send(process, run),
    effect: published,
  },
  {
    name: 'expired',
    itemsPerPart,
    prepare: async (process, run) => {
      const batch = await leaveOpen(process, run);
      await expire(process, batch);
      return batch;
    },
    disturbed: ({ database, context, reach }) => collect(database, context.emit, reach),
    send: (process, run) => send(process, run),
    effect: published,
  },
];
