/**
 * A primary and a hot standby that streams from it, both of the embedded PostgreSQL; made as those of the drills are.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  caughtUp,
  copyCluster,
  pauseReplay,
  resumeReplay,
  standbySettings,
} from '../../drills/support/standby.mjs';
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
  /** Nobody answers at its address any more. */
  stopStandby: () => Promise<void>;
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
  const folder = join(dataDir, 'standby');
  copyCluster(details.folder, folder);
  const server = await acquireEmbedded(options);
  const primaryDetails = { ...details, ...server.connection };
  const standbyDetails = { ...details, folder, port: await freePort(details.host, undefined) };
  const account = serverAccount();
  const pid = await start(findRuntime(account, dataDir, packageName), account, standbyDetails, {
    ...options.settings,
    ...standbySettings(primaryDetails),
  }).catch(async (error: unknown) => {
    await server.release();
    throw error;
  });
  const [primary, standby] = [nodeOf(primaryDetails), nodeOf(standbyDetails)];
  try {
    await primary.database.transaction(migrate);
    const replicated = replicatedOf(primary, standby, pid);
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

const replicatedOf = (primary: ReplicatedNode, standby: ReplicatedNode, pid: number): Replicated => ({
  primary,
  standby,
  pauseReplay: () => pauseReplay(standby.query),
  resumeReplay: async () => void (await resumeReplay(standby.query)),
  caughtUp: () => caughtUp(primary.query, standby.query),
  stopStandby: () => stop(pid),
});
