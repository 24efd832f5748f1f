-- Rollups between regions: what the lanes from any port below the one to any port below
-- the other add up to, so that a question about regions reads as little as one about a lane. Derived from rollups; may
-- be emptied and made again. Decided in docs/decisions/0007-regions.md.

create table fairway.region_rollups (
  origin text collate "C" not null,
  destination text collate "C" not null,
  month smallint not null check (month >= 0),
  payload bytea not null,
  primary key (origin, destination, month)
);
comment on table fairway.region_rollups is
  'As rollups, between regions, r/SLUG each. Only of pairs that hold many lanes; the lanes of others are read one by one.';
alter table fairway.region_rollups alter column payload set storage plain;

alter table fairway.rollup_state add column places_revision bigint;
comment on column fairway.rollup_state.places_revision is
  'The tree of places that region_rollups stand for; where another is asked about, lanes are read instead. Null until they were made.';
