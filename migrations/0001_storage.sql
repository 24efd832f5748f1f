-- The storage of Fairway. Everything lies in a schema of its own, so that a dump's public.ports, prices and regions
-- never collide with it.

create table fairway.head (
  only_row boolean primary key default true check (only_row),
  revision bigint not null check (revision >= 0)
);
comment on table fairway.head is
  'The newest revision. A publish or withdrawal takes this row last: its lock orders them, and the number is visible exactly when its content is.';
insert into fairway.head (revision) values (0);

create table fairway.revisions (
  revision bigint primary key,
  made_at timestamptz not null default now(),
  reason text not null
);
comment on table fairway.revisions is 'Each revision that was made: when, and why.';

create table fairway.batches (
  id bigint generated always as identity primary key,
  content_hash bytea,
  source text not null,
  state text not null default 'loading' check (state in ('loading', 'published', 'rejected', 'withdrawn')),
  attempt bigint,
  items bigint not null default 0,
  lanes integer not null default 0,
  received_at timestamptz not null default now(),
  published_at timestamptz,
  published_revision bigint references fairway.revisions,
  withdrawn_revision bigint references fairway.revisions,
  replaced_by bigint references fairway.batches,
  check (state <> 'loading' or published_revision is null),
  check ((state in ('published', 'withdrawn')) = (published_revision is not null and attempt is not null)),
  check ((state = 'withdrawn') = (withdrawn_revision is not null))
);
comment on table fairway.batches is
  'Items published together. Its items are those of its attempt; they are visible from published_revision until before withdrawn_revision.';
create unique index batches_attempt on fairway.batches (attempt);

create table fairway.attempts (
  id bigint generated always as identity primary key,
  batch bigint not null references fairway.batches,
  state text not null default 'loading' check (state in ('loading', 'dead')),
  started_at timestamptz not null default now()
);
comment on table fairway.attempts is 'A try to load a batch. What it loads stays hidden unless it becomes the attempt of its batch.';
create index attempts_batch on fairway.attempts (batch);
alter table fairway.batches add foreign key (attempt) references fairway.attempts;

create table fairway.parts (
  attempt bigint not null references fairway.attempts,
  part integer not null check (part >= 0),
  items bigint not null,
  primary key (attempt, part)
);
comment on table fairway.parts is 'A piece of an attempt, committed together with its segments.';

create table fairway.lanes (
  id integer generated always as identity primary key,
  orig_code text collate "C" not null,
  dest_code text collate "C" not null,
  unique (orig_code, dest_code)
);
comment on table fairway.lanes is 'The dictionary of lanes that ever had an item; never all pairs of ports.';

create table fairway.segments (
  lane integer not null,
  attempt bigint not null,
  part integer not null,
  first_day date not null,
  last_day date not null,
  items integer not null check (items > 0),
  format smallint not null,
  payload bytea not null,
  check (first_day <= last_day)
);
comment on table fairway.segments is
  'Items of one lane, packed by day: immutable, hidden until the attempt is published. See fairway.unpack and docs/decisions/0002-segments.md.';
-- Inline and as it is: the packed bytes hardly compress, and a row stays within a page by its size limit.
alter table fairway.segments alter column payload set storage external;
create index segments_lane on fairway.segments (lane, attempt, first_day);
create index segments_attempt on fairway.segments (attempt, part);

create table fairway.places (
  kind text not null check (kind in ('port', 'region')),
  code text collate "C" not null check (code <> ''),
  from_revision bigint not null,
  until_revision bigint,
  name text not null,
  parent text collate "C",
  primary key (kind, code, from_revision),
  check (until_revision > from_revision),
  check (kind = 'region' or parent is not null)
);
comment on table fairway.places is
  'Ports and regions, a version a row: valid from from_revision until before until_revision. parent is a region''s slug.';
create unique index places_now on fairway.places (kind, code) where until_revision is null;
create index places_parent on fairway.places (parent) where until_revision is null;

-- Format 1 (all numbers big-endian): byte 0 the width of a day offset (1 or 2), byte 1 the width of a price offset
-- (1 to 4), bytes 2-5 the smallest price; then each item as (day - first_day, price - smallest price), by day and price.
-- Neither function is strict: strict ones are not inlined, and a million items of the view took 17.3 s instead of 0.37 s.
create function fairway.big_endian(bytes bytea, start integer, width integer) returns bigint
language sql immutable parallel safe as $$
  select case width
    when 1 then get_byte(bytes, start)::bigint
    when 2 then get_byte(bytes, start)::bigint << 8 | get_byte(bytes, start + 1)
    when 3 then (get_byte(bytes, start)::bigint << 8 | get_byte(bytes, start + 1)) << 8 | get_byte(bytes, start + 2)
    else ((get_byte(bytes, start)::bigint << 8 | get_byte(bytes, start + 1)) << 8 | get_byte(bytes, start + 2)) << 8
      | get_byte(bytes, start + 3)
  end
$$;

create function fairway.unpack(format smallint, first_day date, items integer, payload bytea)
returns table (day date, price integer)
language sql immutable parallel safe as $$
  select
    first_day + fairway.big_endian(payload, 6 + item * (get_byte(payload, 0) + get_byte(payload, 1)), get_byte(payload, 0))::integer,
    (fairway.big_endian(payload, 2, 4)
      + fairway.big_endian(payload, 6 + item * (get_byte(payload, 0) + get_byte(payload, 1)) + get_byte(payload, 0), get_byte(payload, 1)))::integer
  from generate_series(0, items - 1) as item
  where format = 1
$$;

create view fairway.items as
select b.id as batch, l.orig_code, l.dest_code, i.day, i.price
from fairway.batches b
join fairway.segments s on s.attempt = b.attempt
join fairway.lanes l on l.id = s.lane
cross join lateral fairway.unpack(s.format, s.first_day, s.items, s.payload) i
where b.published_revision is not null and b.withdrawn_revision is null;
comment on view fairway.items is 'Every item that is visible now, as a row.';
