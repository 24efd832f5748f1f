/** What clients do while the sweep cuts: each scenario is a few lines, and may be repeated at any server until its verdict. */
import type { Database } from '../../../src/database/database.js';
import { collect } from '../../../src/ingest/collect.js';
import { Uploads } from '../../../src/ingest/pipeline.js';
import type { Reach } from '../../../src/ingest/stages.js';
import type { UploadContext } from '../../../src/ingest/upload/context.js';
import { openUpload } from '../../../src/ingest/upload/open.js';
import { PartLoader } from '../../../src/ingest/upload/parts.js';
import { withdraw } from '../../../src/ingest/withdraw.js';
import { csv, type Item } from '../batches.js';
import { bytes, upload } from '../uploads.js';

/** A process of the service. */
export interface Process {
  context: UploadContext;
  database: Database;
  reach: Reach | undefined;
}

export interface Run {
  key: string;
  /** Id of the batch that was there before. */
  given: string | undefined;
  /** Resolves once the lease was renewed, or tried to be. */
  renewal(): Promise<void>;
}

/** What is so in the end, once, whatever was cut. */
export interface Effect {
  state: 'published' | 'rejected' | 'withdrawn';
  /** Visible ones of the batch of the key. */
  items: readonly Item[];
  faults?: number;
  /** Revisions that came of it. */
  revisions: number;
  /** Whether the given batch is withdrawn in its place. */
  replaces?: boolean;
}

export interface Answer {
  batch: { id: string; state: string; revision: number | null };
}

export interface Scenario {
  name: string;
  itemsPerPart: number;
  /** It goes on until its lease is renewed. */
  renews?: boolean;
  /** Done before, undisturbed; the batch that `run.given` names. */
  prepare?(process: Process, run: Run): Promise<string | undefined>;
  /** What the disturbed process does, where it is not `send`. */
  disturbed?(process: Process, run: Run): Promise<unknown>;
  /** What the client asks for; it may be repeated. */
  send(process: Process, run: Run): Promise<Answer>;
  effect: Effect;
}

const good: Item[] = [
  ['AAAAA', 'BBBBB', '2022-01-01', 10],
  ['CCCCC', 'BBBBB', '2022-01-01', 30],
  ['CCCCC', 'BBBBB', '2022-01-01', 30],
  ['AAAAA', 'BBBBB', '2022-01-02', 20],
  ['AAAAA', 'BBBBB', '2023-06-30', 60],
];
/** Parts are loaded before the first fault. */
const bad: Item[] = [...good, ['AAAAA', 'BBBBX', '2022-01-01', 1], ['AAAAA', 'BBBBB', '2022-02-30', 1]];

const take = ({ context }: Process, { key, given }: Run, body: Item[], replacing = false): Promise<Answer> =>
  new Uploads(context).take(
    { ...upload, key, replaces: replacing ? (given ?? null) : null },
    bytes(csv(body)),
  );

const published: Effect = { state: 'published', items: good, revisions: 1 };

/** Bytes that end only once the lease was renewed. */
async function* slowly(run: Run): AsyncGenerator<Uint8Array> {
  const text = csv(good);
  yield Buffer.from(text.slice(0, 60));
  await run.renewal();
  yield Buffer.from(text.slice(60));
}

/** Bytes that break off after some parts. */
async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csv(good));
  throw new Error('the client is gone');
}

/** An attempt with parts whose loader is gone and whose lease is over. */
async function leaveOrphan({ context, database }: Process, { key }: Run): Promise<undefined> {
  const opened = await openUpload(context, { ...upload, key });
  if (!('claim' in opened)) throw new Error('the key is taken');
  const loader = new PartLoader(context, opened.claim);
  await context.read(bytes(csv(good)), { format: 'csv', ports: ports }, (part) => loader.add(part));
  await loader.finish();
  await database.withClient((client) =>
    client.query("update fairway.attempts set lease_until = now() - interval '1 second' where id = $1", [
      opened.claim.attempt,
    ]),
  );
}
const ports = ['AAAAA', 'BBBBB', 'CCCCC'].map((code) => ({ code, name: code }));

const other = (run: Run): Run => ({ ...run, key: `${run.key} before` });

export const scenarios: readonly Scenario[] = [
  {
    name: 'one part',
    itemsPerPart: 100,
    send: (process, run) => take(process, run, good),
    effect: published,
  },
  { name: 'parts', itemsPerPart: 2, send: (process, run) => take(process, run, good), effect: published },
  {
    name: 'rejected',
    itemsPerPart: 3,
    send: (process, run) => take(process, run, bad),
    effect: { state: 'rejected', items: [], faults: 2, revisions: 0 },
  },
  {
    name: 'replacing',
    itemsPerPart: 3,
    prepare: async (process, run) => (await take(process, other(run), good.slice(1))).batch.id,
    send: (process, run) => take(process, run, good, true),
    effect: { ...published, replaces: true },
  },
  {
    name: 'slow',
    itemsPerPart: 3,
    renews: true,
    send: ({ context }, run) => new Uploads(context).take({ ...upload, key: run.key }, slowly(run)),
    effect: published,
  },
  {
    name: 'corrected',
    itemsPerPart: 3,
    prepare: (process, run) => take(process, run, bad).then(() => undefined),
    send: (process, run) => take(process, run, good),
    effect: published,
  },
  {
    name: 'repeated',
    itemsPerPart: 100,
    prepare: (process, run) => take(process, run, good).then(() => undefined),
    send: (process, run) => take(process, run, good),
    effect: { ...published, revisions: 0 },
  },
  {
    name: 'withdrawn',
    itemsPerPart: 100,
    prepare: async (process, run) => (await take(process, run, good)).batch.id,
    send: async ({ database, context }, { given = '' }) => {
      await withdraw(database, given, context.emit, context.limits.patience);
      return { batch: { id: given, state: 'withdrawn', revision: null } };
    },
    effect: { state: 'withdrawn', items: [], revisions: 1 },
  },
  {
    name: 'broken off',
    itemsPerPart: 3,
    disturbed: ({ context }, { key }) => new Uploads(context).take({ ...upload, key }, broken()),
    send: (process, run) => take(process, run, good),
    effect: published,
  },
  {
    name: 'collected',
    itemsPerPart: 3,
    prepare: leaveOrphan,
    disturbed: ({ database, context, reach }) => collect(database, context.emit, reach),
    send: (process, run) => take(process, run, good),
    effect: published,
  },
];
