-- What questions read most: counts and sums per day, a row per lane and month. Derived from segments; may be emptied
-- and made again. Decided in docs/decisions/0003-rollups.md.

create table fairway.rollups (
  lane integer not null,
  month smallint not null check (month >= 0),
  payload bytea not null,
  primary key (lane, month)
);
comment on table fairway.rollups is
  'Counts and sums of a lane per day of a month (months since 1970-01), of everything visible at rollup_state.revision.';
alter table fairway.rollups alter column payload set storage plain;

create table fairway.rollup_state (
  only_row boolean primary key default true check (only_row),
  revision bigint not null check (revision >= 0)
);
comment on table fairway.rollup_state is
  'The revision that rollups stand for. It moves together with them, in one transaction; a reader adds what came after it from segments. A row apart from head, so that rolling up and publishing never wait for each other.';
insert into fairway.rollup_state (revision) values (0);

-- What was published or withdrawn since the rollups is found without looking at the batches before.
create index batches_published on fairway.batches (published_revision);
create index batches_withdrawn on fairway.batches (withdrawn_revision);
