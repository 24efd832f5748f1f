/** `fairway keys`: makes, lists and revokes API keys, in the database itself. */
import { createKey, listKeys, revokeKey, scopes, type ApiKey, type Scope } from '../access/keys.js';
import { FairwayError } from '../errors.js';
import { commandLog, configure, withDatabase, type ConfigFlags, type Context } from './context.js';
import type { Database } from '../database/database.js';

type Flags = ConfigFlags & { json?: boolean };

export async function runKeysCreate(
  context: Context,
  { name, scope, ...flags }: Flags & { name: string; scope: string[] },
): Promise<void> {
  const wrong = scope.find((text) => !(scopes as readonly string[]).includes(text));
  if (wrong !== undefined)
    throw new FairwayError('usage', `--scope: '${wrong}' is none of ${scopes.join(', ')}`);
  if (name.trim() === '') throw new FairwayError('usage', '--name: say whose key it is');
  await withKeys(context, flags, async (database) => {
    const { key, secret } = await createKey(database, name.trim(), [...new Set(scope)] as Scope[]);
    if (flags.json) {
      context.stdout.write(`${JSON.stringify({ ...asJson(key), key: secret })}\n`);
      return;
    }
    context.stdout.write(`${secret}\n`);
    context.stderr.write(
      `key ${key.id} '${key.name}' (${key.scopes.join(', ')}): keep it, it is not shown again\n`,
    );
  });
}

export const runKeysList = (context: Context, flags: Flags): Promise<void> =>
  withKeys(context, flags, async (database) => {
    const keys = await listKeys(database);
    if (flags.json) context.stdout.write(`${JSON.stringify({ keys: keys.map(asJson) })}\n`);
    else if (keys.length === 0)
      context.stdout.write("there are no keys; 'fairway keys create --name NAME --scope ingest' makes one\n");
    else context.stdout.write(keys.map(line).join(''));
  });

export const runKeysRevoke = (context: Context, id: string, flags: Flags): Promise<void> =>
  withKeys(context, flags, async (database) => {
    const key = await revokeKey(database, id);
    context.stdout.write(
      flags.json ? `${JSON.stringify(asJson(key))}\n` : `key ${key.id} '${key.name}' is revoked\n`,
    );
  });

async function withKeys(
  context: Context,
  { json: _json, ...flags }: Flags,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const { config } = configure(context, flags);
  await withDatabase(context, config, commandLog(config), ({ database }) => work(database));
}

const asJson = ({ id, name, scopes, createdAt, revokedAt }: ApiKey) => ({
  id,
  name,
  scopes,
  created_at: createdAt.toISOString(),
  revoked_at: revokedAt?.toISOString() ?? null,
});

const line = ({ id, name, scopes, createdAt, revokedAt }: ApiKey): string =>
  `${id.padStart(4)}  ${scopes.join(',').padEnd(26)}  ${createdAt.toISOString().slice(0, 10)}  ${name}${revokedAt ? `  (revoked ${revokedAt.toISOString().slice(0, 10)})` : ''}\n`;
