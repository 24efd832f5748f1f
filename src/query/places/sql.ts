/** The statements of the tree of places. */
import type { QueryConfig } from 'pg';
import { oldestRevision, type HeadRow, type OldestRow } from '../sql.js';

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

export interface PastPlacesRow extends PlacesRow, OldestRow {
  /** The first revision after the one asked for that changed places; null where none did. */
  next_revision: string | null;
}

/**
 * All places there were at a revision. `places_revision` is the newest one up to it that changed places. What happened
 * up to a revision never changes again, so the whole table, small as it is, is read without an index.
 */
export const placesAt = (revision: number): QueryConfig => ({
  name: 'places-at',
  text: `with changes as (
      select from_revision as revision from fairway.places
      union all select until_revision from fairway.places where until_revision is not null)
    select h.revision, ${oldestRevision} as oldest_revision,
      (select coalesce(max(c.revision), 0) from changes c where c.revision <= $1) as places_revision,
      (select min(c.revision) from changes c where c.revision > $1) as next_revision,
      p.kind, p.code, p.name, p.parent
    from fairway.head h
    left join fairway.places p on p.from_revision <= $1 and (p.until_revision is null or p.until_revision > $1)`,
  values: [revision],
});
