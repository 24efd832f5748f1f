/** The statements of what revisions changed. */
import type { QueryConfig } from 'pg';
import { came, went, type Between } from '../changes/sql.js';
import { oldestRevision } from '../sql.js';

export interface RevisionRow {
  /** The newest revision of the snapshot. */
  newest: string;
  /** Null where there is none after the one given. */
  revision: string | null;
  made_at: Date;
  reason: string;
  came: BatchChange[];
  went: BatchChange[];
  places: PlaceChange[] | null;
}

export interface BatchChange {
  batch: string;
  lanes: number;
  items: number;
  /** ISO dates; null for a batch without items. */
  first_day: string | null;
  last_day: string | null;
}

export interface PlaceChange {
  kind: 'port' | 'region';
  code: string;
  name: string;
  parent: string | null;
  change: 'made' | 'changed' | 'removed';
}

const batches = (column: string): string => `(select coalesce(json_agg(json_build_object('batch', b.id::text,
      'lanes', b.lanes, 'items', b.items, 'first_day', b.first_day, 'last_day', b.last_day) order by b.id), '[]')
    from fairway.batches b where b.${column} = r.revision)`;

/** Places are few, but a scan of them for each revision would not be: they are grouped once for the whole page. */
const revisionsText = `
  with page as materialized (
    select r.revision, r.made_at, r.reason from fairway.revisions r
    where r.revision > $1::bigint and r.revision <= (select revision from fairway.head) order by r.revision limit $2
  ), versions as (
    select p.from_revision as revision, p.kind, p.code, p.name, p.parent,
      case when exists (select from fairway.places b where b.kind = p.kind and b.code = p.code and b.until_revision = p.from_revision)
        then 'changed' else 'made' end as change
    from fairway.places p where p.from_revision in (select revision from page)
    union all
    select p.until_revision, p.kind, p.code, p.name, p.parent, 'removed'
    from fairway.places p where p.until_revision in (select revision from page)
      and not exists (select from fairway.places n where n.kind = p.kind and n.code = p.code and n.from_revision = p.until_revision)
  ), places as (
    select revision, json_agg(json_build_object('kind', kind, 'code', code, 'name', name, 'parent', parent, 'change', change)
      order by kind desc, code) as places
    from versions group by revision
  )
  select h.revision as newest, r.revision, r.made_at, r.reason, p.places,
    ${batches('published_revision')} as came, ${batches('withdrawn_revision')} as went
  from fairway.head h left join page r on true left join places p on p.revision = r.revision
  order by r.revision`;

/** Revisions after one, the oldest first, with what each changed; one row with nulls where there is none. */
export const revisionsAfter = (since: number, limit: number): QueryConfig => ({
  name: 'revisions-after',
  text: revisionsText,
  values: [since, limit],
});

export interface ChangedRow {
  /** The first row has the revisions and nothing else. */
  newest: string | null;
  oldest_revision: string | null;
  lane: number | null;
  orig_code: string;
  dest_code: string;
  /** Since 1970-01-01. */
  first_day: number;
  last_day: number;
  format: number;
  payload: Buffer;
  /** 1 for what came, -1 for what went. */
  change: number;
}

const sinceUntil: Between = {
  after: '$1::bigint',
  upTo: 'coalesce($2::bigint, (select revision from fairway.head))',
  direction: '1',
};

/**
 * Lanes are walked by their number, each looked up over (lane, attempt), until so many were found that have changes:
 * `limit 1` and the order keep it so. The other way round, from the attempts' segments, each page would read and sort
 * all of them.
 */
const changedText = `
  with attempts as materialized (select ${came(sinceUntil)} as came, ${went(sinceUntil)} as went
  ), touched as materialized (
    select l.id, l.orig_code, l.dest_code from fairway.lanes l
    cross join lateral (select from fairway.segments s
      where s.lane = l.id and s.attempt = any ((select came || went from attempts)::bigint[]) limit 1) s
    where l.id > $3::bigint and (select cardinality(came) + cardinality(went) from attempts) > 0
    order by l.id limit $4
  )
  select h.revision as newest, ${oldestRevision} as oldest_revision, null::integer as lane, null::text as orig_code, null::text as dest_code,
    null::integer as first_day, null::integer as last_day, null::smallint as format, null::bytea as payload, null::integer as change
  from fairway.head h
  union all
  select null, null, l.id, l.orig_code, l.dest_code, s.first_day, s.last_day, s.format, s.payload, s.change
  from touched l cross join lateral (
    select s.first_day - date '1970-01-01' as first_day, s.last_day - date '1970-01-01' as last_day, s.format, s.payload, 1 as change from fairway.segments s
    where s.lane = l.id and s.attempt = any ((select came from attempts)::bigint[])
    union all
    select s.first_day - date '1970-01-01', s.last_day - date '1970-01-01', s.format, s.payload, -1 from fairway.segments s
    where s.lane = l.id and s.attempt = any ((select went from attempts)::bigint[])
  ) s`;

export interface ChangedItemsRow {
  items: string;
  lanes: number;
}

/** Items of all batches that came or went after one revision, up to another (null: the newest), and the lanes of the largest. */
export const changedItems = (since: number, until: number | null): QueryConfig => ({
  name: 'changed-items',
  text: `select coalesce(sum(b.items), 0) as items, coalesce(max(b.lanes), 0) as lanes from fairway.batches b
    where b.attempt = any (${came(sinceUntil)} || ${went(sinceUntil)})`,
  values: [since, until],
});

/** What came and went after one revision, up to another (null: the newest), on the next lanes after one that have any. */
export const changedSegments = (
  since: number,
  until: number | null,
  afterLane: number,
  lanes: number,
): QueryConfig => ({ name: 'changed-segments', text: changedText, values: [since, until, afterLane, lanes] });
