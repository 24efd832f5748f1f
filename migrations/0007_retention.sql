-- What was withdrawn or rejected is kept for a while, then purged. How far back questions may go is said first.

create table fairway.retention (
  only_row boolean primary key default true check (only_row),
  history_from bigint not null default 0 check (history_from >= 0)
);
comment on table fairway.retention is
  'history_from: the oldest revision that can still be asked about. It moves in a transaction of its own, before the first item that only older revisions show is removed; a statement that sees an item missing therefore also sees it moved. A row apart from head, so that purging and publishing never wait for each other.';
insert into fairway.retention default values;

alter table fairway.batches
  add column rejected_at timestamptz,
  add column purged_at timestamptz;
comment on column fairway.batches.purged_at is
  'Since when its items, once it was withdrawn, or its list of faults, once it was rejected, are gone; its counts stay.';
update fairway.batches set rejected_at = received_at where state = 'rejected';

create index batches_unpurged on fairway.batches (withdrawn_revision) where withdrawn_revision is not null and purged_at is null;
create index batches_rejected on fairway.batches (rejected_at) where state = 'rejected' and purged_at is null;
create index attempts_collected on fairway.attempts (started_at) where state = 'collected';

-- By default a vacuum comes once a fifth of the rows are dead. What is purged is a batch of many, and its room is wanted
-- for the next one: after a fiftieth.
alter table fairway.segments set (autovacuum_vacuum_scale_factor = 0.02);
