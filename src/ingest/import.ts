/**
 * Importing a whole database of rates as one batch: read, check, pack, load, publish, in one transaction. Whatever
 * goes wrong on the way, nothing has changed.
 */
import type { ClientBase } from 'pg';
import type { Database } from '../database/database.js';
import { FairwayError } from '../errors.js';
import { AttemptLoader } from './attempt.js';
import { TableReader } from './parse/tables.js';
import { publish } from './publish.js';
import type { ContentSource } from './sources.js';
import {
  analyse,
  anyBatch,
  lockImports,
  openBatch,
  visibleBatches,
  type PlaceRow,
  type PublishedBatch,
} from './sql.js';
import { checkReferences } from './validate.js';

export interface ImportResult {
  outcome: 'published' | 'unchanged' | 'skipped';
  batch: string | undefined;
  revision: number | undefined;
  items: number;
  lanes: number;
  ports: number;
  regions: number;
  withdrawn: number;
}

export interface ImportOptions {
  /** Withdraw whatever else is published. Without it only the sample gives way. */
  replace?: boolean;
  /** Do nothing where the database has had a batch. */
  onlyWhenEmpty?: boolean;
}

/** Thrown to roll back where there is nothing to do: the transaction must leave no trace. */
class NothingToDo extends Error {
  constructor(readonly result: ImportResult) {
    super('nothing to do');
  }
}

/** Imports. Throws `dump_invalid` for content that cannot be taken and `dump_conflict` where other data stands. */
export async function importContent(
  database: Database,
  source: ContentSource,
  options: ImportOptions = {},
): Promise<ImportResult> {
  try {
    return await database.transaction((client) => importInside(client, source, options));
  } catch (error) {
    if (error instanceof NothingToDo) return error.result;
    throw error;
  }
}

async function importInside(
  client: ClientBase,
  source: ContentSource,
  options: ImportOptions,
): Promise<ImportResult> {
  await lockImports(client);
  if (options.onlyWhenEmpty && (await anyBatch(client))) throw new NothingToDo(nothing('skipped'));
  const { batch, attempt } = await openBatch(client, source.name);
  const loader = new AttemptLoader(client, attempt);
  const reader = new TableReader(loader);
  await source.feed(reader, () => loader.flushWhenFull());
  checkReferences(loader);
  const contentHash = reader.hash.digest();
  const replaces = whatGivesWay(await visibleBatches(client), contentHash, options);
  await loader.finish();
  await analyse(client);
  const revision = await publish(client, {
    batch,
    attempt,
    items: loader.items,
    lanes: loader.lanes.length,
    contentHash,
    reason: `import of ${source.name}`,
    replaces,
    places: placeRows(loader),
  });
  return {
    outcome: 'published',
    batch,
    revision: Number(revision),
    items: loader.items,
    lanes: loader.lanes.length,
    ports: loader.ports.length,
    regions: loader.regions.length,
    withdrawn: replaces.length,
  };
}

const nothing = (outcome: 'unchanged' | 'skipped', same?: PublishedBatch): ImportResult => ({
  outcome,
  batch: same?.id,
  revision: same ? Number(same.published_revision) : undefined,
  items: Number(same?.items ?? 0),
  lanes: 0,
  ports: 0,
  regions: 0,
  withdrawn: 0,
});

function whatGivesWay(
  visible: readonly PublishedBatch[],
  contentHash: Buffer,
  options: ImportOptions,
): string[] {
  const same = visible.find((batch) => batch.content_hash?.equals(contentHash));
  const others = visible.filter((batch) => batch !== same);
  if (same && (others.length === 0 || !options.replace)) throw new NothingToDo(nothing('unchanged', same));
  const inTheWay = visible.filter((batch) => batch.source !== 'sample');
  if (inTheWay.length > 0 && !options.replace) {
    throw new FairwayError(
      'dump_conflict',
      `the database already holds ${inTheWay.length === 1 ? 'another batch' : `${inTheWay.length} other batches`} (${inTheWay
        .slice(0, 5)
        .map((batch) => batch.id)
        .join(', ')}); --replace withdraws what is there and publishes this instead`,
    );
  }
  return visible.map((batch) => batch.id);
}

const placeRows = (loader: AttemptLoader): PlaceRow[] => [
  ...loader.regions.map(({ code, name, parent }) => ({ kind: 'region' as const, code, name, parent })),
  ...loader.ports.map(({ code, name, parent }) => ({ kind: 'port' as const, code, name, parent })),
];
