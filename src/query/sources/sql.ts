/** The statement of what stands behind a lane's days: the segments themselves, since rollups know no batches. */
import type { QueryConfig } from 'pg';
import { oldestRevision, type HeadRow, type OldestRow } from '../sql.js';

export interface SourceRow extends HeadRow, OldestRow {
  /** Null where there is nothing in the range. */
  batch: string | null;
  owner: string | null;
  key: string | null;
  published_at: Date | null;
  /** Days since 1970-01-01. */
  first_day: number;
  format: number;
  payload: Buffer;
}

/**
 * Visible segments of lanes that overlap a range of days, with their batches, and the revision: one statement, so one
 * snapshot. One row with nulls where there is none. `batch`: only this one's. `asOf`: visible at that revision.
 */
export const segmentsWithBatches = (
  origins: readonly string[],
  destinations: readonly string[],
  from: number,
  to: number,
  batch: string | null,
  asOf: number | null,
): QueryConfig => ({
  name: 'segments-with-batches',
  text: `select h.revision, h.places_revision, ${oldestRevision} as oldest_revision, s.*
    from fairway.head h
    left join (
      select b.id as batch, b.owner_key as owner, b.idempotency_key as key, b.published_at,
        s.first_day - date '1970-01-01' as first_day, s.format, s.payload
      from fairway.lanes l
      join fairway.segments s on s.lane = l.id
      join fairway.batches b on b.attempt = s.attempt
      where l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and l.orig_code <> l.dest_code
        and s.last_day >= date '1970-01-01' + $3::integer and s.first_day <= date '1970-01-01' + $4::integer
        and b.published_revision <= coalesce($6::bigint, (select revision from fairway.head))
        and (b.withdrawn_revision is null or b.withdrawn_revision > coalesce($6::bigint, (select revision from fairway.head)))
        and ($5::bigint is null or b.id = $5)
    ) s on true`,
  values: [origins, destinations, from, to, batch, asOf],
});
