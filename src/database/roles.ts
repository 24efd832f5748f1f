/**
 * The role the service connects as: in goes its name and password, out comes a role that reads everything in the
 * schema, writes where the service writes, and owns nothing, so that nothing it is made to run can change the schema.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { ClientBase } from 'pg';
import { FairwayError } from '../errors.js';

export interface ServiceRole {
  name: string;
  /** Left as it is where none is given. */
  password: string | undefined;
}

/** What the service changes; every other table, of later migrations too, it may only read. */
const writes: Record<string, string> = {
  head: 'update',
  revisions: 'insert',
  batches: 'insert, update',
  batch_errors: 'insert, delete',
  attempts: 'insert, update, delete',
  parts: 'insert, update, delete',
  segments: 'insert, delete',
  lanes: 'insert',
  places: 'insert, update',
  rollups: 'insert, update, delete',
  region_rollups: 'insert, update, delete',
  rollup_state: 'update',
  retention: 'update',
};

/**
 * Makes the role where it is missing and gives it exactly what it needs, inside the transaction the client is in.
 * Throws `configuration_invalid` for a role that could change the schema.
 */
export async function grantServiceRole(client: ClientBase, { name, password }: ServiceRole): Promise<void> {
  const role = client.escapeIdentifier(name);
  if (!(await isHarmless(client, name))) await client.query(`create role ${role} login`);
  if (password !== undefined) {
    await client.query(`alter role ${role} login password ${client.escapeLiteral(scramVerifier(password))}`);
  }
  // PostgreSQL before 15 lets everyone create in the schema public.
  await client.query('revoke create on schema public from public');
  await client.query(`revoke all on all tables in schema fairway from ${role}`);
  await client.query(`grant usage on schema fairway to ${role}`);
  await client.query(`grant select on all tables in schema fairway to ${role}`);
  // Holds also for tables of a later migration that runs without naming the role.
  await client.query(`alter default privileges in schema fairway grant select on tables to ${role}`);
  for (const [table, rights] of Object.entries(writes)) {
    await client.query(`grant ${rights} on fairway.${table} to ${role}`);
  }
  // Deletes with its owner's rights, and only what was never published.
  await client.query(`grant execute on function fairway.remove_unfinished to ${role}`);
}

/** Whether the role is there. Throws where it is one that could change the schema. */
async function isHarmless(client: ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query<{ mighty: boolean }>(
    `select r.rolsuper or r.rolcreaterole or r.rolname = current_user
       or exists (select from pg_namespace n where n.nspname in ('fairway', 'public') and pg_has_role(r.oid, n.nspowner, 'MEMBER'))
       or exists (select from pg_class c where c.relnamespace = 'fairway'::regnamespace and pg_has_role(r.oid, c.relowner, 'MEMBER'))
       or has_database_privilege(r.oid, current_database(), 'CREATE') as mighty
     from pg_roles r where r.rolname = $1`,
    [name],
  );
  if (rows[0]?.mighty) {
    throw new FairwayError(
      'configuration_invalid',
      `FAIRWAY_SERVICE_ROLE: '${name}' can change the schema; name a role that owns nothing, or one that is not there yet`,
    );
  }
  return rows.length > 0;
}

const iterations = 4096;

/**
 * What PostgreSQL keeps of a password. Made here, so that the password itself is in no statement and no server log.
 * Source: PostgreSQL documentation, pg_authid, rolpassword; RFC 5803.
 */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyOf = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest();
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored.toString('base64')}:${keyOf('Server Key').toString('base64')}`;
}
