/** API keys: made at random, shown once, kept as SHA-256. In goes a bearer key, out comes who it is. */
import { hash, randomBytes } from 'node:crypto';
import type { Database, ReadOptions } from '../database/database.js';
import { FairwayError } from '../errors.js';
import { allKeys, insertKey, keyByHash, revokeKeyById, type KeyRow } from './sql.js';

export const scopes = ['read', 'ingest', 'withdraw', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  createdAt: Date;
  revokedAt: Date | undefined;
}

const prefix = 'fairway_';
/** Fast on purpose: a key is 256 random bits, which nobody guesses; only passwords need a slow hash. */
export const hashOf = (key: string): Buffer => hash('sha256', key, 'buffer');

const asKey = ({ id, name, scopes, created_at: createdAt, revoked_at: revokedAt }: KeyRow): ApiKey => ({
  id,
  name,
  scopes,
  createdAt,
  revokedAt: revokedAt ?? undefined,
});

/** Makes a key. `secret` is what the bearer sends; it cannot be shown again. */
export async function createKey(
  database: Database,
  name: string,
  scopes: readonly Scope[],
): Promise<{ key: ApiKey; secret: string }> {
  const secret = prefix + randomBytes(32).toString('base64url');
  const row = await database.withClient((client) => insertKey(client, name, scopes, hashOf(secret)));
  return { key: asKey(row), secret };
}

export const listKeys = async (database: Database): Promise<ApiKey[]> =>
  (await database.read<KeyRow>(allKeys())).map(asKey);

/** Throws `key_unknown`. */
export async function revokeKey(database: Database, id: string): Promise<ApiKey> {
  const row = /^[0-9]{1,18}$/.test(id)
    ? await database.withClient((client) => revokeKeyById(client, id))
    : undefined;
  if (!row) throw new FairwayError('key_unknown', `there is no key ${id}; 'fairway keys list' shows them`);
  return asKey(row);
}

/** The key a request bears, from its Authorization header. Throws `unauthenticated`, or `forbidden` where it has none of the scopes; `admin` may do everything. */
export async function authenticate(
  database: Database,
  authorization: string | undefined,
  accepted: readonly Scope[],
  options: ReadOptions,
): Promise<ApiKey> {
  const secret = secretOf(authorization);
  const key = secret === undefined ? undefined : await keyBy(database, hashOf(secret), options);
  if (!key) throw unauthenticated(authorization);
  if (!key.scopes.some((scope) => scope === 'admin' || accepted.includes(scope))) {
    throw new FairwayError(
      'forbidden',
      `the API key '${key.name}' has the scopes ${key.scopes.join(', ')}; this needs ${accepted.join(' or ')}`,
    );
  }
  return key;
}

/** The key that an Authorization header bears; undefined where it bears none. */
export const secretOf = (authorization: string | undefined): string | undefined =>
  /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];

/** Undefined where there is none, or it was revoked. */
export async function keyBy(
  database: Database,
  hash: Buffer,
  options: ReadOptions,
): Promise<ApiKey | undefined> {
  const [row] = await database.read<KeyRow>(keyByHash(hash), options);
  return row && asKey(row);
}

/** The refusal of a request that shows no key, or one that does not count. */
export const unauthenticated = (authorization: string | undefined): FairwayError =>
  new FairwayError(
    'unauthenticated',
    secretOf(authorization) === undefined
      ? "this needs an API key: send 'Authorization: Bearer KEY'; 'fairway keys create' makes one"
      : 'this API key is not known, or was revoked',
  );
