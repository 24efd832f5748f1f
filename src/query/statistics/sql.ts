/** The statement that reads prices. */
import type { QueryConfig } from 'pg';
import { oldestRevision, type OldestRow } from '../sql.js';

export interface PricesOf {
  origins: readonly string[];
  destinations: readonly string[];
  /** Whether a port's lane to itself is meant, too. */
  toItself: boolean;
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
  revision: number;
}

/** One row has the revisions and nothing else, the others have none. */
export interface PricesRow extends OldestRow {
  /** The newest revision of the snapshot. */
  newest: string | null;
  /** Since 1970-01-01. */
  first_day: number;
  format: number;
  /** Null where the revisions are told. */
  payload: Buffer | null;
}

/**
 * Segments of the lanes that overlap the days, of whatever was visible at the revision; none of it ever changes.
 */
export const pricesBetween = ({
  origins,
  destinations,
  toItself,
  from,
  to,
  revision,
}: PricesOf): QueryConfig => ({
  name: 'prices-between',
  text: `select h.revision as newest, ${oldestRevision} as oldest_revision,
      null::integer as first_day, null::smallint as format, null::bytea as payload from fairway.head h
    union all select null, null, s.first_day - date '1970-01-01', s.format, s.payload
    from fairway.segments s join fairway.batches b on b.attempt = s.attempt
    where s.lane = any (array(select l.id from fairway.lanes l
        where l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and ($3 or l.orig_code <> l.dest_code)))
      and s.last_day >= date '1970-01-01' + $4::integer and s.first_day <= date '1970-01-01' + $5::integer
      and b.published_revision <= $6 and (b.withdrawn_revision is null or b.withdrawn_revision > $6)`,
  values: [origins, destinations, toItself, from, to, revision],
});
