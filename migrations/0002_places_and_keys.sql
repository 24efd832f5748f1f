-- Places change on their own, not only with an import; writers have keys.

alter table fairway.head add column places_revision bigint not null default 0;
comment on column fairway.head.places_revision is
  'The newest revision that changed places. A reader that keeps the tree in memory compares it in the snapshot of its answer.';
update fairway.head set places_revision =
  (select coalesce(max(greatest(from_revision, until_revision)), 0) from fairway.places);

create table fairway.keys (
  id bigint generated always as identity primary key,
  name text not null check (name <> ''),
  hash bytea not null unique check (octet_length(hash) = 32),
  scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['ingest', 'withdraw', 'admin']),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
comment on table fairway.keys is 'API keys of writers. hash is the SHA-256 of the key, which is shown once and kept nowhere.';
