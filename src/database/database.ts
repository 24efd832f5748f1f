/**
 * The pool: in go connection options, out come statements with a deadline and transactions.
 * A client that ran into its deadline or lost its server is destroyed, never reused.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import type { ClientConfig, Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { Emit } from '../events.js';
import { FairwayError, messageOf } from '../errors.js';
import { CommitUnknown, isConnectionLoss, overloaded, translate, unavailable } from './failures.js';

const connectMilliseconds = 3_000;
/** A read without a deadline of its own is given up after this, and its connection with it. */
const readMilliseconds = 15_000;
/** So many may wait for each connection of the pool: about a second's work. More are told to come again. */
const waitingPerConnection = 250;
/** After a refused connection nobody tries again for this long. */
const refusedMilliseconds = 50;

export interface ReadOptions {
  /** When the answer is no longer of use, on the clock of `performance.now()`. */
  deadline?: number;
}

export interface PoolStatistics {
  total: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
}

export interface Database {
  /**
   * Runs one read-only statement; repeats it once on a fresh connection where the old one turns out to be dead.
   * Throws `database_timeout` at the deadline, `overloaded` where too many wait already.
   */
  read<Row extends QueryResultRow>(statement: QueryConfig, options?: ReadOptions): Promise<Row[]>;
  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws. At the deadline its
   * connection is destroyed: `database_timeout`. Where the connection is lost while it commits, the error thrown says
   * so: `isOutcomeUnknown` (failures.ts), and settle.ts finds out.
   */
  transaction<Result>(work: (client: PoolClient) => Promise<Result>, options?: ReadOptions): Promise<Result>;
  /** Runs `work` on one connection, without a transaction. */
  withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>;
  statistics(): PoolStatistics;
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
      return await useClient({ pool, availability, emit }, work);
    } catch (error) {
      throw translate(error);
    }
  };
  return {
    withClient,
    read: async <Row extends QueryResultRow>(statement: QueryConfig, options: ReadOptions = {}) => {
      const deadline = options.deadline ?? performance.now() + readMilliseconds;
      const once = (): Promise<Row[]> =>
        withClient((client) => readWithDeadline<Row>(client, statement, deadline, emit));
      return once().catch((error: unknown) => {
        if (isConnectionLoss(error)) return once();
        throw error;
      });
    },
    transaction: (work, options = {}) =>
      withClient((client) =>
        options.deadline === undefined
          ? inTransaction(client, work)
          : untilDeadline(client, options.deadline, () => inTransaction(client, work)),
      ),
    statistics: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}

const ignore = (): void => undefined;

interface Source {
  pool: Pool;
  availability: Availability;
  emit: Emit;
}

async function useClient<Result>(
  { pool, availability, emit }: Source,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  availability.check();
  if (pool.waitingCount >= pool.options.max * waitingPerConnection) throw overloaded();
  const begun = performance.now();
  const client = await pool.connect().catch((error: unknown) => {
    if (isConnectionLoss(error)) {
      availability.failed(error);
      availability.refused();
    }
    throw error;
  });
  availability.succeeded();
  emit({ kind: 'connection-taken', waitedMilliseconds: performance.now() - begun });
  let broken: Error | undefined;
  const fail = (error: unknown): void => {
    if (!isConnectionLoss(error)) return;
    broken ??= error instanceof Error ? error : new Error(String(error));
    if (!givenUp.has(client)) availability.failed(error);
  };
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
  deadline: number,
  emit: Emit,
): Promise<Row[]> {
  const begun = performance.now();
  const socket = socketOf(client);
  const bytesBefore = socket.bytesRead;
  const { rows } = await untilDeadline(client, deadline, () => client.query<Row>(statement));
  emit({
    kind: 'statement-read',
    statement: statement.name ?? '',
    rows: rows.length,
    bytes: socket.bytesRead - bytesBefore,
    milliseconds: performance.now() - begun,
  });
  return rows;
}

/** Clients whose connection was destroyed at a deadline: that says nothing of the database. */
const givenUp = new WeakSet<PoolClient>();

/** Destroying the socket settles what runs on it; asking the server to cancel could wait as long as the statement does. */
async function untilDeadline<Result>(
  client: PoolClient,
  deadline: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const left = deadline - performance.now();
  if (left <= 0) throw tooLate();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    givenUp.add(client);
    socketOf(client).destroy();
  }, left);
  try {
    return await work();
  } catch (error) {
    throw late ? tooLate(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

const tooLate = (cause?: unknown): FairwayError =>
  new FairwayError('database_timeout', 'the database did not answer in time; try again later', { cause });

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
  await client.query('commit').catch((error: unknown) => {
    throw isConnectionLoss(error) ? new CommitUnknown(error) : error;
  });
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

const socketOf = (client: PoolClient): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;
