/** The statement that asks what is new. */
import type { QueryConfig } from 'pg';
import { oldestRevision, type HeadRow, type OldestRow } from '../sql.js';

export interface NewsRow extends HeadRow, OldestRow {
  /** Revisions after the one given and the lanes they touched; null where that is not known, or too much. */
  touched: [revision: number, lanes: [origin: string, destination: string][]][] | null;
}

/**
 * Whatever was published or withdrawn, also what was both: an answer may have been read in between. What was purged has
 * no segments to tell its lanes; the horizon moved past the revision before it was.
 */
const newsText = `
  with head as materialized (
    select h.revision, h.places_revision, ${oldestRevision} as oldest_revision from fairway.head h
  ), changed as materialized (
    select b.attempt, b.lanes, b.published_revision as revision from fairway.batches b
    where b.published_revision > $1::bigint and b.published_revision <= (select revision from head)
    union all
    select b.attempt, b.lanes, b.withdrawn_revision from fairway.batches b
    where b.withdrawn_revision > $1::bigint and b.withdrawn_revision <= (select revision from head)
  )
  select h.revision, h.places_revision, h.oldest_revision,
    case when h.oldest_revision <= $1::bigint and (select coalesce(sum(lanes), 0) from changed) <= $2::integer then (
      select coalesce(json_agg(json_build_array(t.revision, t.lanes)), '[]') from (
        select c.revision, json_agg(json_build_array(l.orig_code, l.dest_code)) as lanes
        from changed c
        cross join lateral (select distinct s.lane from fairway.segments s where s.attempt = c.attempt offset 0) s
        join fairway.lanes l on l.id = s.lane
        group by c.revision) t) end as touched
  from head h`;

/** The head, and which lanes were touched after a revision. */
export const newsSince = (revision: number, mostLanes: number): QueryConfig => ({
  name: 'news-since',
  text: newsText,
  values: [revision, mostLanes],
});
