/** Opens the database that is configured: the one that was named, or the embedded one, found running or started. */
import type { ClientConfig } from 'pg';
import { namedDatabase, namedStandby } from './connection.js';
import { withFallback } from './fallback.js';
import { openDatabase, type Database } from './database.js';
import { acquireEmbedded } from './embedded/index.js';
import type { Config } from '../settings.js';
import type { Emit } from '../events.js';

export interface OpenedDatabase {
  /** The primary. */
  database: Database;
  /** Where questions go: a standby, or the primary where none was named or that one is away. */
  reads: Database;
  embedded: boolean;
  /** Where the embedded server keeps its files. */
  folder: string | undefined;
  /** Another pool over the same database, which says nothing of its connections; its owner closes it. */
  readonly openPool: (poolSize: number) => Database;
  /** Ends the pool, then lets go of the embedded server. With `force`, statements still running are not waited for. */
  close(force?: boolean): Promise<void>;
}

export async function openConfigured(
  config: Config,
  env: NodeJS.ProcessEnv,
  cwd: string,
  emit: Emit,
): Promise<OpenedDatabase> {
  const { poolSize } = config;
  const standby = namedStandby(config, env, cwd);
  const openReads = (primary: Database): Database =>
    standby ? openStandby(standby, poolSize, primary, emit) : primary;
  const named = namedDatabase(config, env, cwd);
  if (named) {
    const database = openDatabase({ connection: named, poolSize, emit });
    const reads = openReads(database);
    return {
      database,
      reads,
      embedded: false,
      folder: undefined,
      openPool: (poolSize) => openDatabase({ connection: named, poolSize, emit: ignore }),
      close: async (force) => (force ? undefined : closeAll(database, reads)),
    };
  }
  const server = await acquireEmbedded({ dataDir: config.dataDir, emit });
  const database = openDatabase({ connection: server.connection, poolSize, emit });
  const reads = openReads(database);
  return {
    database,
    reads,
    embedded: true,
    folder: server.folder,
    openPool: (poolSize) => openDatabase({ connection: server.connection, poolSize, emit: ignore }),
    close: async (force) => {
      if (!force) await closeAll(database, reads);
      await server.release();
    },
  };
}

/** Each pool once. */
const closeAll = async (...databases: Database[]): Promise<void> => {
  for (const database of new Set(databases)) await database.close();
};

function openStandby(connection: ClientConfig, poolSize: number, primary: Database, emit: Emit): Database {
  // That it is lost, `withFallback` says.
  const muted: Emit = (event) =>
    event.kind === 'database-lost' || event.kind === 'database-back' ? undefined : emit(event);
  return withFallback({
    standby: openDatabase({ connection, poolSize, emit: muted }),
    probe: openDatabase({ connection, poolSize: 1, emit: ignore }),
    primary,
    emit,
  });
}

const ignore = (): void => undefined;
