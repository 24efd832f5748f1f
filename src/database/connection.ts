/**
 * Where the database is: in goes the environment, out come connection options for `pg`.
 * `pg` itself knows neither PGHOSTADDR nor PGSERVICE, so those are resolved here as libpq does.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { readVariable } from '../config.js';
import type { Config } from '../settings.js';
import { FairwayError } from '../errors.js';

/** The variables that say: there is a database, embed none. */
export const databaseVariables = ['PGHOST', 'PGHOSTADDR', 'PGSERVICE'] as const;

/** Options for the database that was named, or undefined where none was: then the embedded one is meant. */
export function namedDatabase(config: Config, env: NodeJS.ProcessEnv, cwd: string): ClientConfig | undefined {
  const password = readVariable(env, 'PGPASSWORD', cwd)?.text;
  const options = env['PGOPTIONS'] ? { options: env['PGOPTIONS'] } : {};
  if (config.databaseUrl !== undefined) return byUrl(config.databaseUrl, env, cwd);
  if (!databaseVariables.some((name) => env[name])) return undefined;
  const service = env['PGSERVICE'] ? readService(env['PGSERVICE'], env) : {};
  const host = service['hostaddr'] ?? service['host'] ?? env['PGHOSTADDR'] ?? env['PGHOST'];
  const port = service['port'] ?? env['PGPORT'];
  const user = service['user'] ?? env['PGUSER'];
  const database = service['dbname'] ?? env['PGDATABASE'];
  const secret = service['password'] ?? password;
  return {
    ...options,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(user === undefined ? {} : { user }),
    ...(database === undefined ? {} : { database }),
    ...(secret === undefined ? {} : { password: secret }),
  };
}

/** Options for the standby that answers questions, where one was named. */
export const namedStandby = (
  { readUrl }: Config,
  env: NodeJS.ProcessEnv,
  cwd: string,
): ClientConfig | undefined => (readUrl === undefined ? undefined : byUrl(readUrl, env, cwd));

function byUrl(connectionString: string, env: NodeJS.ProcessEnv, cwd: string): ClientConfig {
  const password = readVariable(env, 'PGPASSWORD', cwd)?.text;
  return {
    ...(env['PGOPTIONS'] ? { options: env['PGOPTIONS'] } : {}),
    connectionString,
    ...(!new URL(connectionString).password && password !== undefined ? { password } : {}),
  };
}

function portNumber(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65535) {
    throw new FairwayError(
      'configuration_invalid',
      `PGPORT: '${text}' is not a port; several hosts are not supported, name one`,
    );
  }
  return Number(text);
}

/** A section of the service file. Source: PostgreSQL documentation, libpq, "The Connection Service File". */
function readService(name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const files = [
    env['PGSERVICEFILE'] ?? join(homedir(), '.pg_service.conf'),
    ...(env['PGSYSCONFDIR'] ? [join(env['PGSYSCONFDIR'], 'pg_service.conf')] : []),
  ];
  for (const file of files) {
    const section = parseService(readIfThere(file), name);
    if (section) return section;
  }
  throw new FairwayError(
    'configuration_invalid',
    `PGSERVICE: there is no service '${name}' in ${files.join(' or ')}`,
  );
}

function parseService(text: string, name: string): Record<string, string> | undefined {
  let section: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed.startsWith('[')) {
      if (section) return section;
      if (trimmed === `[${name}]`) section = {};
    } else if (section && trimmed !== '' && !trimmed.startsWith('#')) {
      const at = trimmed.indexOf('=');
      if (at > 0) section[trimmed.slice(0, at).trim()] = trimmed.slice(at + 1).trim();
    }
  }
  return section;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
