/** The statements of batches in parts. Parts are stored and listed here; what opens, collects and publishes is beside it. */
import type { ClientBase, QueryConfig, QueryResultRow } from 'pg';
import type { BatchState, PartRow } from '../upload/sql.js';

async function some<Row extends QueryResultRow>(
  client: ClientBase,
  { text, values }: QueryConfig,
): Promise<Row | undefined> {
  const { rows } = await client.query<Row>(text, values);
  return rows[0];
}

export interface PartedNow {
  state: BatchState;
  in_parts: boolean;
  /** The attempt that takes parts, or the one that is published; null where it has expired. */
  attempt: string | null;
  replaces: string | null;
  format: string | null;
}

/** What a batch is now. What must stay so is to be asked after the batch was locked, by a statement of its own. */
export const partedNow = (batch: string): QueryConfig => ({
  name: 'parted-now',
  text: `select b.state, b.in_parts, b.replaces, b.format,
      coalesce(b.attempt, (select a.id from fairway.attempts a where a.batch = b.id and a.state = 'loading')) as attempt
    from fairway.batches b where b.id = $1`,
  values: [batch],
});

export const partedInside = (client: ClientBase, batch: string): Promise<PartedNow | undefined> =>
  some(client, partedNow(batch));

export interface StoredPartRow {
  part: number;
  items: string;
  lanes: number;
  bytes: string;
  digest: Buffer;
  stored_at: Date;
}

const columns = 'part, items, lanes, bytes, digest, stored_at';

export const partOfAttempt = (attempt: string, part: number): QueryConfig => ({
  name: 'part-of-attempt',
  text: `select ${columns} from fairway.parts where attempt = $1 and part = $2`,
  values: [attempt, part],
});

export const storedPart = (
  client: ClientBase,
  attempt: string,
  part: number,
): Promise<StoredPartRow | undefined> => some(client, partOfAttempt(attempt, part));

/** Parts in their order, from the one after `after` on. */
export const partsAfter = (attempt: string, after: string, limit: number): QueryConfig => ({
  name: 'parts-after',
  text: `select ${columns} from fairway.parts where attempt = $1 and part > $2 order by part limit $3`,
  values: [attempt, after, limit],
});

export interface NewPart extends PartRow {
  lanes: number;
  digest: Buffer;
  bytes: number;
}

/**
 * Puts the part in the place of the one of its number. False where that very part is there: an earlier request stored
 * it, or an earlier try of this one was committed after all. Waits for whoever is about to store that number.
 */
export async function putPart(client: ClientBase, attempt: string, part: NewPart): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into fairway.parts as p (attempt, part, items, first_day, last_day, lanes, digest, bytes, stored_at)
     values ($1, $2, $3, date '1970-01-01' + $4::integer, date '1970-01-01' + $5::integer, $6, $7, $8, clock_timestamp())
     on conflict (attempt, part) do update set items = excluded.items, first_day = excluded.first_day,
       last_day = excluded.last_day, lanes = excluded.lanes, digest = excluded.digest, bytes = excluded.bytes,
       stored_at = excluded.stored_at
     where p.digest is distinct from excluded.digest`,
    [attempt, part.part, part.items, part.firstDay, part.lastDay, part.lanes, part.digest, part.bytes],
  );
  return rowCount === 1;
}

/** Segments of the part that another one takes the place of. A statement after `putPart`, so that it sees them all. */
export const deletePartSegments = (client: ClientBase, attempt: string, part: number): Promise<unknown> =>
  client.query('delete from fairway.segments where attempt = $1 and part = $2', [attempt, part]);

export interface AllParts {
  parts: number;
  items: string;
  bytes: string;
  highest: number;
  /** SHA-256 of the parts' digests in their order; null where there are none. */
  sha256: Buffer | null;
}

export const allParts = (attempt: string): QueryConfig => ({
  name: 'all-parts',
  text: `select count(*)::integer as parts, coalesce(sum(items), 0) as items, coalesce(sum(bytes), 0) as bytes,
      coalesce(max(part), 0) as highest, sha256(string_agg(digest, ''::bytea order by part)) as sha256
    from fairway.parts where attempt = $1 and part > 0`,
  values: [attempt],
});

export const allPartsInside = async (client: ClientBase, attempt: string): Promise<AllParts> => {
  const row = await some<AllParts>(client, allParts(attempt));
  if (!row) throw new Error('an aggregate gives a row');
  return row;
};

/** Numbers from 1 to `parts` that are not there, and numbers above it that are; the first of each. */
export async function misfits(
  client: ClientBase,
  attempt: string,
  parts: number,
  limit: number,
): Promise<{ missing: number[]; unexpected: number[] }> {
  const row = await some<{ missing: number[]; unexpected: number[] }>(client, {
    text: `select
        array(select n from generate_series(1, $2) n
          where not exists (select from fairway.parts where attempt = $1 and part = n) order by n limit $3) as missing,
        array(select part from fairway.parts where attempt = $1 and part > $2 order by part limit $3) as unexpected`,
    values: [attempt, parts, limit],
  });
  return row ?? { missing: [], unexpected: [] };
}

/**
 * Lanes of all parts. A look into the index for each lane of the dictionary, so that it costs the same whatever the
 * items are.
 */
export async function countLanes(client: ClientBase, attempt: string): Promise<number> {
  const row = await some<{ lanes: number }>(client, {
    text: `select count(*)::integer as lanes from fairway.lanes l cross join lateral
      (select from fairway.segments s where s.lane = l.id and s.attempt = $1 limit 1) s`,
    values: [attempt],
  });
  return row?.lanes ?? 0;
}
