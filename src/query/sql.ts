/** The statements of queries. */
import type { QueryConfig } from 'pg';

export interface SegmentRow {
  revision: string;
  /** Days since 1970-01-01; null where the lane has nothing in the range. */
  first_day: number | null;
  format: number | null;
  payload: Buffer | null;
}

/**
 * The visible segments of a lane that overlap a range of days, and the revision they belong to: one statement, so one
 * snapshot. One row with nulls where there is none. Segments are unpacked by the caller: 31 days of a lane are one
 * row of a few hundred bytes here, where rows per day or per item cost `pg` two to ten times as much
 * (docs/decisions/0002-segments.md).
 */
export const segmentsOfLane = (
  origin: string,
  destination: string,
  firstDay: number,
  lastDay: number,
): QueryConfig => ({
  name: 'segments-of-lane',
  text: `select h.revision, s.first_day, s.format, s.payload
    from fairway.head h
    left join (
      select s.first_day - date '1970-01-01' as first_day, s.format, s.payload
      from fairway.lanes l
      join fairway.segments s on s.lane = l.id
      join fairway.batches b on b.attempt = s.attempt
      where l.orig_code = $1 and l.dest_code = $2
        and s.last_day >= date '1970-01-01' + $3::integer and s.first_day <= date '1970-01-01' + $4::integer
        and b.published_revision is not null and b.withdrawn_revision is null
    ) s on true`,
  values: [origin, destination, firstDay, lastDay],
});
