/** The statements of ingestion. Those named publish… and withdraw… change what is visible: publish.ts and withdraw.ts alone call them. */
import type { ClientBase, QueryResultRow } from 'pg';

export const copySegments =
  'copy fairway.segments (lane, attempt, part, first_day, last_day, items, format, payload) from stdin (format binary)';

export const copyPublicTable = (table: 'ports' | 'prices' | 'regions', columns: readonly string[]): string =>
  `copy (select ${columns.join(', ')} from public.${table}) to stdout`;

/** Number of the advisory lock of imports: "fimp" in ASCII. */
const importLock = 0x66696d70;

async function one<Row extends QueryResultRow>(
  client: ClientBase,
  text: string,
  values: unknown[] = [],
): Promise<Row> {
  const { rows } = await client.query<Row>(text, values);
  const [row] = rows;
  if (!row || rows.length !== 1) throw new Error(`expected one row, got ${rows.length}: ${text}`);
  return row;
}

/** One import at a time; others wait. Held until the transaction ends. */
export const lockImports = (client: ClientBase): Promise<unknown> =>
  client.query('select pg_advisory_xact_lock($1)', [importLock]);

export async function openBatch(
  client: ClientBase,
  source: string,
): Promise<{ batch: string; attempt: string }> {
  const { id: batch } = await one<{ id: string }>(
    client,
    'insert into fairway.batches (source) values ($1) returning id',
    [source],
  );
  const { id: attempt } = await one<{ id: string }>(
    client,
    'insert into fairway.attempts (batch) values ($1) returning id',
    [batch],
  );
  return { batch, attempt };
}

export const recordPart = (
  client: ClientBase,
  attempt: string,
  part: number,
  items: number,
): Promise<unknown> =>
  client.query(
    `insert into fairway.parts (attempt, part, items, first_day, last_day)
     select $1::bigint, $2::integer, $3, min(first_day), max(last_day) from fairway.segments where attempt = $1 and part = $2`,
    [attempt, part, items],
  );

/**
 * Ids of lanes, in the order given; lanes never seen before get theirs. Only those are inserted: each row of an
 * `on conflict do nothing` takes a number, and there are but 2^31.
 */
export async function laneIds(
  client: ClientBase,
  origins: string[],
  destinations: string[],
): Promise<number[]> {
  await client.query(
    `insert into fairway.lanes (orig_code, dest_code)
     select n.origin, n.destination from unnest($1::text[], $2::text[]) as n (origin, destination)
     where not exists (select from fairway.lanes l where l.orig_code = n.origin and l.dest_code = n.destination)
     order by n.origin collate "C", n.destination collate "C" on conflict do nothing`,
    [origins, destinations],
  );
  const { rows } = await client.query<{ id: number }>(
    `select l.id from unnest($1::text[], $2::text[]) with ordinality as n (origin, destination, place)
     join fairway.lanes l on l.orig_code = n.origin and l.dest_code = n.destination order by n.place`,
    [origins, destinations],
  );
  return rows.map((row) => row.id);
}

export interface PublishedBatch {
  id: string;
  source: string;
  content_hash: Buffer | null;
  items: string;
  published_revision: string;
}

export async function visibleBatches(client: ClientBase): Promise<PublishedBatch[]> {
  const { rows } = await client.query<PublishedBatch>(
    `select id, source, content_hash, items, published_revision from fairway.batches where state = 'published' order by id`,
  );
  return rows;
}

export const anyBatch = async (client: ClientBase): Promise<boolean> =>
  (await one<{ found: boolean }>(client, 'select exists (select from fairway.batches) as found')).found;

/** Whether a dump was loaded with psql: public.ports, prices and regions with the columns of the task's database. */
export async function publicTablesThere(client: ClientBase): Promise<boolean> {
  const { count } = await one<{ count: string }>(
    client,
    `select count(*) from information_schema.columns where table_schema = 'public' and (table_name, column_name) in
       (('ports', 'code'), ('ports', 'name'), ('ports', 'parent_slug'), ('regions', 'slug'), ('regions', 'name'),
        ('regions', 'parent_slug'), ('prices', 'orig_code'), ('prices', 'dest_code'), ('prices', 'day'), ('prices', 'price'))`,
  );
  return Number(count) === 10;
}

export interface PartSums {
  items: string;
  /** ISO dates; null where there is no part. */
  first_day: string | null;
  last_day: string | null;
}

/** Sums over the parts of an attempt, to be compared with what was sent. */
export const partSums = (client: ClientBase, attempt: string): Promise<PartSums> =>
  one(
    client,
    `select coalesce(sum(items), 0) as items, min(first_day)::text as first_day, max(last_day)::text as last_day
     from fairway.parts where attempt = $1`,
    [attempt],
  );

/** Locks batches in the order of their ids, so that no two transactions wait for each other. What is returned was so when the lock was got. */
export async function lockBatches(
  client: ClientBase,
  batches: readonly string[],
): Promise<Map<string, { state: string }>> {
  const { rows } = await client.query<{ id: string; state: string }>(
    'select id, state from fairway.batches where id = any ($1::bigint[]) order by id for update',
    [batches],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Whether the attempt may still load; its batch must be locked by a statement before. */
export const attemptState = (client: ClientBase, attempt: string): Promise<{ state: string }> =>
  one(client, 'select state from fairway.attempts where id = $1', [attempt]);

/** The next revision. Locks the head row until the transaction ends: call it last. */
export async function publishRevision(client: ClientBase, reason: string): Promise<string> {
  const { revision } = await one<{ revision: string }>(
    client,
    'update fairway.head set revision = revision + 1 returning revision',
  );
  await client.query('insert into fairway.revisions (revision, reason) values ($1, $2)', [revision, reason]);
  return revision;
}

/** What is known of a batch once all of it is loaded. */
export interface BatchContent {
  batch: string;
  attempt: string;
  items: number;
  lanes: number;
  /** Of an import. */
  contentHash?: Buffer;
  /** Of an upload. */
  upload?: { sha256: Buffer; bytes: number; format: string | null; replaces: string | null };
}

export async function publishAttempt(
  client: ClientBase,
  { batch, attempt, items, lanes, contentHash, upload }: BatchContent,
  { first_day, last_day }: PartSums,
  revision: string,
): Promise<number> {
  const { rowCount } = await client.query(
    `update fairway.batches set state = 'published', attempt = $2, items = $3, lanes = $4, content_hash = $5,
       published_revision = $6, published_at = clock_timestamp(), content_sha256 = $7, bytes = $8, format = $9,
       replaces = $10, error_total = 0, error_counts = '{}', purged_at = null, first_day = $11, last_day = $12
     where id = $1 and state in ('loading', 'rejected')`,
    [
      batch,
      attempt,
      items,
      lanes,
      contentHash,
      revision,
      upload?.sha256,
      upload?.bytes,
      upload?.format,
      upload?.replaces,
      first_day,
      last_day,
    ],
  );
  return rowCount ?? 0;
}

/** The lease of a published attempt is never over. Also a write that makes sure, once committed, that what it saw lasts. */
export const endLease = (client: ClientBase, attempt: string): Promise<unknown> =>
  client.query('update fairway.attempts set lease_until = null where id = $1', [attempt]);

export async function withdrawAt(
  client: ClientBase,
  batches: string[],
  revision: string,
  replacedBy: string | null,
): Promise<number> {
  const { rowCount } = await client.query(
    `update fairway.batches set state = 'withdrawn', withdrawn_revision = $2, replaced_by = $3
     where id = any ($1::bigint[]) and state = 'published'`,
    [batches, revision, replacedBy],
  );
  return rowCount ?? 0;
}

export interface PlaceRow {
  kind: 'port' | 'region';
  code: string;
  name: string;
  parent: string | null;
}

/** Makes the places exactly these from the revision on; versions that stay the same are left as they are. */
export async function publishPlaces(
  client: ClientBase,
  places: readonly PlaceRow[],
  revision: string,
): Promise<void> {
  const columns = [
    places.map((place) => place.kind),
    places.map((place) => place.code),
    places.map((place) => place.name),
    places.map((place) => place.parent),
  ];
  const given = 'unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (kind, code, name, parent)';
  await client.query(
    `update fairway.places p set until_revision = $5 where until_revision is null and not exists (
       select from ${given} where n.kind = p.kind and n.code = p.code and n.name = p.name and n.parent is not distinct from p.parent)`,
    [...columns, revision],
  );
  await client.query(
    `insert into fairway.places (kind, code, from_revision, name, parent)
     select n.kind, n.code, $5, n.name, n.parent from ${given}
     where not exists (select from fairway.places p where p.kind = n.kind and p.code = n.code and p.until_revision is null)`,
    [...columns, revision],
  );
  await publishPlacesRevision(client, revision);
}

const publishPlacesRevision = (client: ClientBase, revision: string): Promise<unknown> =>
  client.query('update fairway.head set places_revision = $1', [revision]);

/** Makes one place, or gives it another name or parent, from the revision on. */
export async function publishPlaceAt(client: ClientBase, place: PlaceRow, revision: string): Promise<void> {
  const { kind, code, name, parent } = place;
  await client.query(
    'update fairway.places set until_revision = $3 where kind = $1 and code = $2 and until_revision is null',
    [kind, code, revision],
  );
  await client.query(
    'insert into fairway.places (kind, code, from_revision, name, parent) values ($1, $2, $3, $4, $5)',
    [kind, code, revision, name, parent],
  );
  await publishPlacesRevision(client, revision);
}

/** The place as it is now, if it is there. */
export async function placeNow(
  client: ClientBase,
  kind: PlaceRow['kind'],
  code: string,
): Promise<PlaceRow | undefined> {
  const { rows } = await client.query<PlaceRow>(
    'select kind, code, name, parent from fairway.places where kind = $1 and code = $2 and until_revision is null',
    [kind, code],
  );
  return rows[0];
}

/** Slugs from a region up to the top of the tree, itself first; none where it is not there. */
export async function regionsUpwards(client: ClientBase, slug: string): Promise<string[]> {
  const { rows } = await client.query<{ code: string }>(
    `with recursive upwards as (
       select code, parent, 1 as depth from fairway.places where kind = 'region' and code = $1 and until_revision is null
       union all
       select p.code, p.parent, u.depth + 1 from upwards u
       join fairway.places p on p.kind = 'region' and p.code = u.parent and p.until_revision is null
     ) select code from upwards order by depth`,
    [slug],
  );
  return rows.map((row) => row.code);
}

/** The newest revision; its row stays locked until the transaction ends, so that nobody publishes meanwhile. */
export const lockHead = (client: ClientBase): Promise<{ revision: string }> =>
  one(client, 'select revision from fairway.head for update');

/** Fresh statistics, so that the first question after a large load is planned well. */
export const analyse = (client: ClientBase): Promise<unknown> =>
  client.query('analyze fairway.segments, fairway.lanes, fairway.batches, fairway.places');
