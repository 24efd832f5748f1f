/** Options that commands share, and how a command is added. */
import { Option, type Command } from 'commander';

export const port = (): Option => new Option('--port <number>', 'port to serve on (FAIRWAY_PORT)');
export const host = (): Option => new Option('--host <address>', 'address to serve on (FAIRWAY_HOST)');
export const dataDir = (): Option =>
  new Option('--data-dir <folder>', 'folder of the embedded database (FAIRWAY_DATA_DIR)');
export const seedOption = (): Option =>
  new Option(
    '--seed <what>',
    'what an empty database is filled with: sample, none, or a dump (FAIRWAY_SEED)',
  );
export const role = (): Option =>
  new Option('--role <role>', 'what it does: all, read or ingest (FAIRWAY_ROLE)');
export const databaseUrl = (): Option =>
  new Option('--database-url <url>', 'PostgreSQL to use instead of the embedded one (DATABASE_URL)');
export const json = (): Option => new Option('--json', 'print JSON');

export const url = (): Option => new Option('--url <url>', 'the service (FAIRWAY_URL)');
export const apiKey = (): Option =>
  new Option('--api-key <key>', 'API key (better FAIRWAY_API_KEY or FAIRWAY_API_KEY_FILE)');

export type AddCommand = (name: string, description: string, ...examples: string[]) => Command;
