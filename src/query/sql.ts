/** The statements of queries. */
import type { QueryConfig } from 'pg';

export interface HeadRow {
  revision: string;
  /** Newest revision that changed places. */
  places_revision: string;
}

export const headOf: QueryConfig = {
  name: 'head',
  text: 'select revision, places_revision from fairway.head',
};

export interface PlacesRow extends HeadRow {
  kind: 'port' | 'region' | null;
  code: string | null;
  name: string | null;
  parent: string | null;
}

/** All places there are now, and the revision they belong to. One row with nulls where there is none. */
export const placesNow: QueryConfig = {
  name: 'places-now',
  text: `select h.revision, h.places_revision, p.kind, p.code, p.name, p.parent
    from fairway.head h left join fairway.places p on p.until_revision is null`,
};

export interface SegmentRow extends HeadRow {
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
  text: visibleSegments('l.orig_code = $1 and l.dest_code = $2'),
  values: [origin, destination, firstDay, lastDay],
});

/** The same for every lane from one of the origins to one of the destinations, except from a port to itself. */
export const segmentsOfLanes = (
  origins: readonly string[],
  destinations: readonly string[],
  firstDay: number,
  lastDay: number,
): QueryConfig => ({
  name: 'segments-of-lanes',
  text: visibleSegments(
    'l.orig_code = any ($1::text[]) and l.dest_code = any ($2::text[]) and l.orig_code <> l.dest_code',
  ),
  values: [origins, destinations, firstDay, lastDay],
});

const visibleSegments = (
  lanes: string,
): string => `select h.revision, h.places_revision, s.first_day, s.format, s.payload
    from fairway.head h
    left join (
      select s.first_day - date '1970-01-01' as first_day, s.format, s.payload
      from fairway.lanes l
      join fairway.segments s on s.lane = l.id
      join fairway.batches b on b.attempt = s.attempt
      where ${lanes}
        and s.last_day >= date '1970-01-01' + $3::integer and s.first_day <= date '1970-01-01' + $4::integer
        and b.published_revision is not null and b.withdrawn_revision is null
    ) s on true`;
