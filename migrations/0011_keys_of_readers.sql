-- Keys that only ask questions, for where reading takes a key (FAIRWAY_READ_KEYS=required).

alter table fairway.keys drop constraint keys_scopes_check,
  add constraint keys_scopes_check
    check (cardinality(scopes) > 0 and scopes <@ array['read', 'ingest', 'withdraw', 'admin']);
comment on table fairway.keys is 'API keys. hash is the SHA-256 of the key, which is shown once and kept nowhere.';
