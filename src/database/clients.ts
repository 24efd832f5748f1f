/**
 * The connections: taken from the pool and given back. Says once that the database is lost and once that it is back,
 * however many notice. A client that lost its server is destroyed, never used again.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import type { ClientConfig, PoolClient } from 'pg';
import type { Emit } from '../events.js';
import { messageOf } from '../errors.js';
import { isConnectionLoss, overloaded, unavailable } from './failures.js';

const connectMilliseconds = 3_000;
/** So many may wait for each connection of the pool: about a second's work. More are told to come again. */
const waitingPerConnection = 250;
/** After a refused connection nobody tries again for this long. */
const refusedMilliseconds = 50;

/**
 * One plan for a statement, whatever its parameters. Ours find everything over indexes, so another plan is never better;
 * left to itself PostgreSQL made a new one for each of the hottest statement's runs, at twice the cost of running it.
 */
const onePlan = '-c plan_cache_mode=force_generic_plan';

export interface PoolStatistics {
  total: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
}

export interface Clients {
  /** A client for the caller alone, to be given back. */
  take(): Promise<PoolClient>;
  /** With the error that ended its use, where one did. */
  giveBack(client: PoolClient, error?: unknown): void;
  /** Whether it was given back before: then its server may be gone without anybody having noticed. */
  wasIdle(client: PoolClient): boolean;
  /** Destroys the connection, which settles what runs on it; says nothing of the database. */
  giveUp(client: PoolClient): void;
  /** Each of them, and for a moment no other is opened. */
  giveUpAll: () => void;
  /** As `giveUp`, and has the server stop what runs there: for reads, which nobody waits for any more. Never for what may commit. */
  abandon(client: PoolClient): void;
  statistics: () => PoolStatistics;
  close: () => Promise<void>;
}

const openPool = (connection: ClientConfig, poolSize: number): pg.Pool =>
  new pg.Pool({
    ...connection,
    max: poolSize,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    application_name: 'fairway',
    options: connection.options === undefined ? onePlan : `${connection.options} ${onePlan}`,
  });

export function openClients(connection: ClientConfig, poolSize: number, emit: Emit): Clients {
  const pool = openPool(connection, poolSize);
  const availability = watchAvailability(emit);
  const broken = new WeakMap<PoolClient, Error>();
  const givenUp = new WeakSet<PoolClient>();
  const givenBack = new WeakSet<PoolClient>();
  const open = new Set<PoolClient>();
  const note = (client: PoolClient, error: unknown): void => {
    if (!isConnectionLoss(error)) return;
    broken.set(client, error instanceof Error ? error : new Error(String(error)));
    if (!givenUp.has(client)) availability.failed(error);
  };
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => availability.failed(error));
  // For good, not only while somebody uses the client: the error may come in the same chunk of bytes as the end of the
  // connect or of the statement, before the one who waits for it runs, and then nobody listens (seen under kill -9).
  pool.on('connect', (client) => {
    open.add(client);
    client.on('error', (error) => note(client, error));
  });
  pool.on('remove', (client) => open.delete(client));
  const giveUp = (client: PoolClient): void => {
    givenUp.add(client);
    socketOf(client).destroy();
  };
  return {
    take: async () => {
      availability.check();
      if (pool.waitingCount >= poolSize * waitingPerConnection) throw overloaded();
      const begun = performance.now();
      try {
        const client = await pool.connect();
        availability.succeeded();
        emit({ kind: 'connection-taken', waitedMilliseconds: performance.now() - begun });
        return client;
      } catch (error) {
        if (isConnectionLoss(error)) availability.refused(error);
        throw error;
      }
    },
    giveBack: (client, error) => {
      if (error !== undefined) note(client, error);
      givenBack.add(client);
      client.release(broken.get(client));
    },
    wasIdle: (client) => givenBack.has(client),
    giveUp,
    giveUpAll: () => {
      availability.refused(unavailable());
      open.forEach(giveUp);
    },
    abandon: (client) => {
      giveUp(client);
      // Its own client is gone, so that nothing else can be under way there. A crowd must not be joined by this.
      if (pool.waitingCount === 0) void cancelBackend(pool, client).catch(() => undefined);
    },
    statistics: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}

interface Availability {
  /** Throws at once where a connection was refused a moment ago: a crowd that knocks would hold up the recovery. */
  check(): void;
  refused(error: unknown): void;
  failed(error: unknown): void;
  succeeded(): void;
}

/** Says once that the database is gone and once that it is back, however many requests notice. */
function watchAvailability(emit: Emit): Availability {
  let lost = false;
  let refusedUntil = 0;
  const failed = (error: unknown): void => {
    if (!lost) emit({ kind: 'database-lost', reason: messageOf(error) });
    lost = true;
  };
  return {
    check: () => {
      if (Date.now() < refusedUntil) throw unavailable();
    },
    refused: (error) => {
      refusedUntil = Date.now() + refusedMilliseconds;
      failed(error);
    },
    failed,
    succeeded: () => {
      if (lost) emit({ kind: 'database-back' });
      lost = false;
    },
  };
}

/** A backend notices the loss of its client only when it has something to say. */
async function cancelBackend(pool: pg.Pool, client: PoolClient): Promise<void> {
  const { processID } = client as unknown as { processID: number | null };
  if (processID !== null) await pool.query('select pg_cancel_backend($1)', [processID]);
}

export const socketOf = (client: PoolClient): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;
