/**
 * A primary and a hot standby that streams from it, both of the embedded PostgreSQL. The standby begins as a copy of the
 * stopped primary: the package has no pg_basebackup. Its replay can be paused, so that it lags on purpose.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { serverAccount } from '../../src/database/embedded/account.js';
import { freePort, start, stop } from '../../src/database/embedded/cluster.js';
import { readDetails, type Details } from '../../src/database/embedded/details.js';
import { acquireEmbedded } from '../../src/database/embedded/index.js';
import { findRuntime } from '../../src/database/embedded/runtime.js';
import { openDatabase, type Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import type { FairwayEvent } from '../../src/events.js';
import { packageOf } from './global-setup.js';

export interface ReplicatedNode {
  url: string;
  database: Database;
  /** Of the pool. */
  events: FairwayEvent[];
  query: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
}

export interface Replicated {
  primary: ReplicatedNode;
  standby: ReplicatedNode;
  /** Nothing more is replayed once this has resolved. */
  pauseReplay: () => Promise<void>;
  resumeReplay: () => Promise<void>;
  /** Resolves once the standby has everything the primary has now. */
  caughtUp: () => Promise<void>;
}

const settings = { fsync: 'off', max_connections: '40', wal_keep_size: '128MB' };

export async function withReplica(work: (replicated: Replicated) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairway-replica-'));
  // Open to the server's user, or root's cluster would lie in the system's folder and stay there.
  chmodSync(dataDir, 0o755);
  const packageName = packageOf(process.env['FAIRWAY_TEST_POSTGRES'] ?? '18');
  const options = {
    dataDir,
    emit: () => undefined,
    ...(packageName ? { packageName } : {}),
    settings,
  };
  await (await acquireEmbedded(options)).release();
  const details = readDetails(dataDir);
  if (!details) throw new Error('there is no cluster to copy');
  const copied = copyCluster(details, dataDir);
  const server = await acquireEmbedded(options);
  const primaryDetails = { ...details, ...server.connection };
  const standbyDetails = { ...copied, port: await freePort(details.host, undefined) };
  const account = serverAccount();
  const pid = await start(findRuntime(account, dataDir, packageName), account, standbyDetails, {
    ...options.settings,
    hot_standby: 'on',
    primary_conninfo: conninfo(primaryDetails),
  }).catch(async (error: unknown) => {
    await server.release();
    throw error;
  });
  const [primary, standby] = [nodeOf(primaryDetails), nodeOf(standbyDetails)];
  try {
    await primary.database.transaction(migrate);
    const replicated = replicatedOf(primary, standby);
    await replicated.caughtUp();
    await work(replicated);
  } finally {
    await standby.database.close();
    await primary.database.close();
    await stop(pid);
    await server.release();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** As `cp -a` does: owners and modes as they are. */
function copyCluster(details: Details, dataDir: string): Details {
  const folder = join(dataDir, 'standby');
  const { status, stderr } = spawnSync('cp', ['-a', details.folder, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  writeFileSync(join(folder, 'data', 'standby.signal'), '');
  return { ...details, folder };
}

const conninfo = ({ host, port, user, password }: Details): string =>
  `host=${host} port=${port} user=${user} password=${password} application_name=standby`;

function nodeOf({ host, port, user, password, database: name }: Details): ReplicatedNode {
  const connection = { host, port, user, password, database: name };
  const events: FairwayEvent[] = [];
  return {
    url: `postgresql://${user}:${password}@${host}:${port}/${name}`,
    database: openDatabase({ connection, poolSize: 4, emit: (event) => events.push(event) }),
    events,
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
      const client = new pg.Client(connection);
      await client.connect();
      try {
        return (await client.query<Row>(text, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
}

function replicatedOf(primary: ReplicatedNode, standby: ReplicatedNode): Replicated {
  const until = async (condition: string, values?: unknown[]): Promise<void> => {
    while (!(await standby.query<{ met: boolean }>(`select ${condition} as met`, values))[0]?.met)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return {
    primary,
    standby,
    pauseReplay: async () => {
      await standby.query('select pg_wal_replay_pause()');
      await until('pg_is_wal_replay_paused()');
      // Since 14 a pause is only asked for, and this says when it has begun.
      const [{ there } = { there: false }] = await standby.query<{ there: boolean }>(
        "select exists (select from pg_proc where proname = 'pg_get_wal_replay_pause_state') as there",
      );
      if (there) await until("pg_get_wal_replay_pause_state() = 'paused'");
    },
    resumeReplay: async () => void (await standby.query('select pg_wal_replay_resume()')),
    caughtUp: async () => {
      const [row] = await primary.query<{ at: string }>('select pg_current_wal_insert_lsn()::text as at');
      await until('coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)', [row?.at]);
    },
  };
}
