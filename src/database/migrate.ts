/**
 * Brings the schema `fairway` up to date: in goes a client, out come the names of the migrations applied.
 * Forward only, one transaction for all, under a lock so that several processes may start at once.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { packageRoot } from '../config.js';
import { FairwayError } from '../errors.js';

const folder = join(packageRoot, 'migrations');

/** Number of the advisory lock: the letters "fair" in ASCII. */
const migrationLock = 0x66616972;

export const migrationNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => /^[0-9]{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort();

/** Applies what is missing, inside the transaction the client is in. Throws `schema_newer` for a database from the future. */
export async function migrate(client: ClientBase): Promise<string[]> {
  await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
  const missing = missingOf(await appliedMigrations(client));
  if (missing.length === 0) return [];
  await client.query('create schema if not exists fairway');
  await client.query(
    'create table if not exists fairway.migrations (name text primary key, applied_at timestamptz not null default now())',
  );
  for (const name of missing) {
    await client.query(readFileSync(join(folder, name), 'utf8'));
    await client.query('insert into fairway.migrations (name) values ($1)', [name]);
  }
  return missing;
}

async function appliedMigrations(client: ClientBase): Promise<Set<string>> {
  const there = await client.query<{ found: boolean }>(
    "select to_regclass('fairway.migrations') is not null as found",
  );
  if (!there.rows[0]?.found) return new Set();
  const { rows } = await client.query<{ name: string }>('select name from fairway.migrations');
  return new Set(rows.map((row) => row.name));
}

/** Names of the migrations the database lacks. Throws `schema_newer` for a database from the future. */
export async function pendingMigrations(client: ClientBase): Promise<string[]> {
  return missingOf(await appliedMigrations(client));
}

function missingOf(applied: ReadonlySet<string>): string[] {
  const names = migrationNames();
  const unknown = [...applied].filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new FairwayError(
      'schema_newer',
      `the database has ${unknown.join(', ')}, which this version does not know; use the newer Fairway`,
    );
  }
  return names.filter((name) => !applied.has(name));
}
