-- Batches come over HTTP: with a key, a verdict, an owner; tries to load one have a lease.

alter table fairway.batches
  add column owner_key bigint references fairway.keys,
  add column idempotency_key text check (idempotency_key <> ''),
  add column content_sha256 bytea check (octet_length(content_sha256) = 32),
  add column bytes bigint,
  add column format text check (format in ('csv', 'ndjson', 'json')),
  add column error_total bigint not null default 0,
  add column error_counts jsonb not null default '{}',
  add column replaces bigint references fairway.batches;
comment on column fairway.batches.owner_key is 'The API key that sent it; null where writes were open, and for imports.';
comment on column fairway.batches.content_sha256 is
  'SHA-256 of the decoded bytes, known once the body has ended. content_hash is of the rows, whatever their order, and of imports alone.';
-- Null owners count as one owner: where writes are open a key is as unique as anywhere.
create unique index batches_key on fairway.batches (coalesce(owner_key, 0), idempotency_key) where idempotency_key is not null;
create index batches_content on fairway.batches (content_sha256) where content_sha256 is not null;
create index batches_owner on fairway.batches (owner_key, id);
create index batches_state on fairway.batches (state, id);

alter table fairway.attempts
  add column lease_until timestamptz,
  drop constraint attempts_state_check,
  add constraint attempts_state_check check (state in ('loading', 'dead', 'collected'));
comment on column fairway.attempts.lease_until is
  'Renewed while its loader lives; once over, whoever holds the batch''s lock may mark the attempt dead. Null: never over.';
comment on column fairway.attempts.state is
  'loading: may load, and stays so when published; dead: may not, its segments may still be there; collected: they are gone.';
-- At most one try at a time; what an older one does is refused.
create unique index attempts_current on fairway.attempts (batch) where state = 'loading';
create index attempts_lease on fairway.attempts (lease_until) where state = 'loading' and lease_until is not null;
create index attempts_dead on fairway.attempts (id) where state = 'dead';

create table fairway.batch_errors (
  batch bigint not null references fairway.batches,
  position integer not null,
  line bigint not null,
  column_number bigint not null,
  field text,
  code text not null,
  message text not null,
  value text,
  primary key (batch, position)
);
comment on table fairway.batch_errors is 'The first faults of a rejected batch, in order of place; batches.error_total counts all.';

-- The service's role may delete no batch; this it may: one that never came to a verdict, once nothing of it is left.
create function fairway.remove_unfinished(unfinished bigint, keyed boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from fairway.batches b where b.id = unfinished and b.state = 'loading' and (keyed or b.idempotency_key is null)
    and not exists (select from fairway.attempts a where a.batch = b.id and a.state <> 'collected') for update;
  if not found then return false; end if;
  delete from fairway.attempts where batch = unfinished;
  delete from fairway.batches where id = unfinished;
  return true;
end
$$;
comment on function fairway.remove_unfinished is
  'Removes a batch that never came to a verdict, unless a try is left. keyed: even where it has a key.';
revoke execute on function fairway.remove_unfinished from public;
