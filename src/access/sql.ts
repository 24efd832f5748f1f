/** The statements of API keys. */
import type { ClientBase, QueryConfig } from 'pg';
import type { Scope } from './keys.js';

export interface KeyRow {
  id: string;
  name: string;
  scopes: Scope[];
  created_at: Date;
  revoked_at: Date | null;
}

const columns = 'id, name, scopes, created_at, revoked_at';

export async function insertKey(
  client: ClientBase,
  name: string,
  scopes: readonly Scope[],
  hash: Buffer,
): Promise<KeyRow> {
  const { rows } = await client.query<KeyRow>(
    `insert into fairway.keys (name, scopes, hash) values ($1, $2, $3) returning ${columns}`,
    [name, scopes, hash],
  );
  return rows[0] as KeyRow;
}

export const allKeys = (): QueryConfig => ({ text: `select ${columns} from fairway.keys order by id` });

export const keyByHash = (hash: Buffer): QueryConfig => ({
  name: 'key-by-hash',
  text: `select ${columns} from fairway.keys where hash = $1 and revoked_at is null`,
  values: [hash],
});

/** Undefined where there is no such key; a key that is revoked already stays as it is. */
export async function revokeKeyById(client: ClientBase, id: string): Promise<KeyRow | undefined> {
  const { rows } = await client.query<KeyRow>(
    `update fairway.keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning ${columns}`,
    [id],
  );
  return rows[0];
}
