-- A batch too large for one request comes in parts, each stored by a request of its own, to any server, in any order.

alter table fairway.batches add column in_parts boolean not null default false;
comment on column fairway.batches.in_parts is
  'Opened, filled part by part and published by requests of their own. Its attempt''s lease is from the last stored part; over, it is collected together with the batch.';

alter table fairway.parts
  add column lanes integer,
  add column digest bytea check (octet_length(digest) = 32),
  add column bytes bigint,
  add column stored_at timestamptz;
comment on column fairway.parts.digest is
  'SHA-256 of the part as it was sent, packed or not; null for what one request brought. A part with another one takes its place as a whole.';
