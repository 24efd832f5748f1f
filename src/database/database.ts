/**
 * The pool: in go connection options, out come statements with a deadline and transactions.
 * A client that ran into its deadline or lost its server is destroyed, never reused.
 */
import pg from 'pg';
import type { ClientConfig, Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { Emit } from '../events.js';
import { FairwayError, messageOf } from '../errors.js';
import { isConnectionLoss, translate, unavailable } from './failures.js';

const connectMilliseconds = 3_000;
/** A read that takes longer than this is given up, and its connection with it. */
const readMilliseconds = 15_000;
/** After a refused connection nobody tries again for this long. */
const refusedMilliseconds = 50;

export interface Database {
  /** Runs one read-only statement; repeats it once on a fresh connection where the old one turns out to be dead. */
  read<Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]>;
  /** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
  transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>;
  /** Runs `work` on one connection, without a transaction. */
  withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  connection: ClientConfig;
  poolSize: number;
  emit: Emit;
}

export function openDatabase({ connection, poolSize, emit }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    ...connection,
    max: poolSize,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    application_name: 'fairway',
  });
  const availability = watchAvailability(emit);
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => availability.failed(error));
  // For good, not only while somebody uses the client: the error may come in the same chunk of bytes as the end of the
  // connect or of the statement, before the one who waits for it runs, and then nobody listens (seen under kill -9).
  pool.on('connect', (client) => client.on('error', ignore));
  const withClient: Database['withClient'] = async (work) => {
    try {
      return await useClient(pool, availability, work);
    } catch (error) {
      throw translate(error);
    }
  };
  return {
    withClient,
    read: async <Row extends QueryResultRow>(statement: QueryConfig) => {
      const once = (): Promise<Row[]> => withClient((client) => readWithDeadline<Row>(client, statement));
      return once().catch((error: unknown) => {
        if (isConnectionLoss(error)) return once();
        throw error;
      });
    },
    transaction: (work) => withClient((client) => inTransaction(client, work)),
    close: () => pool.end(),
  };
}

const ignore = (): void => undefined;

async function useClient<Result>(
  pool: Pool,
  availability: Availability,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  let broken: Error | undefined;
  const fail = (error: unknown): void => {
    if (!isConnectionLoss(error)) return;
    broken ??= error instanceof Error ? error : new Error(String(error));
    availability.failed(error);
  };
  availability.check();
  const client = await pool.connect().catch((error: unknown) => {
    fail(error);
    availability.refused();
    throw error;
  });
  availability.succeeded();
  client.on('error', fail);
  try {
    return await work(client);
  } catch (error) {
    fail(error);
    throw error;
  } finally {
    client.off('error', fail);
    client.release(broken);
  }
}

async function readWithDeadline<Row extends QueryResultRow>(
  client: PoolClient,
  statement: QueryConfig,
): Promise<Row[]> {
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    // Destroying the socket settles the query; asking the server to cancel could wait as long as the query does.
    socketOf(client).destroy();
  }, readMilliseconds);
  try {
    return (await client.query<Row>(statement)).rows;
  } catch (error) {
    if (!late) throw error;
    throw new FairwayError(
      'database_timeout',
      `no answer within ${readMilliseconds / 1000} s; try again later`,
    );
  } finally {
    clearTimeout(deadline);
  }
}

async function inTransaction<Result>(
  client: PoolClient,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  await client.query('begin');
  let result: Result;
  try {
    result = await work(client);
  } catch (error) {
    // A dead connection has rolled back by itself; the first error is the one that says why.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  await client.query('commit');
  return result;
}

interface Availability {
  /** Throws at once where a connection was refused a moment ago: a crowd that knocks would hold up the recovery. */
  check(): void;
  refused(): void;
  failed(error: unknown): void;
  succeeded(): void;
}

/** Says once that the database is gone and once that it is back, however many requests notice. */
function watchAvailability(emit: Emit): Availability {
  let lost = false;
  let refusedUntil = 0;
  return {
    check: () => {
      if (Date.now() < refusedUntil) throw unavailable();
    },
    refused: () => {
      refusedUntil = Date.now() + refusedMilliseconds;
    },
    failed: (error) => {
      if (!lost) emit({ kind: 'database-lost', reason: messageOf(error) });
      lost = true;
    },
    succeeded: () => {
      if (lost) emit({ kind: 'database-back' });
      lost = false;
    },
  };
}

const socketOf = (client: PoolClient): { destroy(): void } =>
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
