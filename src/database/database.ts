/**
 * The database: in go connection options, out come statements with a deadline and transactions.
 */
import type { ClientConfig, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { Emit } from '../events.js';
import { FairwayError } from '../errors.js';
import { openClients, socketOf, type Clients, type PoolStatistics } from './clients.js';
import { CommitUnknown, isConnectionLoss, translate } from './failures.js';

/** A read without a deadline of its own is given up after this, and its connection with it. */
const readMilliseconds = 15_000;

export interface ReadOptions {
  /** When the answer is no longer of use, on the clock of `performance.now()`. */
  deadline?: number;
  /** Aborts where whoever asked has gone: the statement is given up, in the database too. */
  signal?: AbortSignal;
}

export interface Database {
  /**
   * Runs one read-only statement; repeats it where its connection turns out to be dead: as often as that one was idle
   * before, and once more.
   * Throws `database_timeout` at the deadline, the signal's reason where it aborts, `overloaded` where too many wait already.
   */
  read<Row extends QueryResultRow>(statement: QueryConfig, options?: ReadOptions): Promise<Row[]>;
  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws. An idle connection that turns
   * out to be dead when it begins is passed over. At the deadline its connection is destroyed: `database_timeout`. Where
   * the connection is lost while it commits, the error thrown says so: `isOutcomeUnknown` (failures.ts), and settle.ts
   * finds out.
   */
  transaction<Result>(work: (client: PoolClient) => Promise<Result>, options?: ReadOptions): Promise<Result>;
  /** Runs `work` on one connection, without a transaction. */
  withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>;
  /** Destroys every connection: what runs there ends with `database_unavailable`. */
  giveUp: () => void;
  statistics: () => PoolStatistics;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  connection: ClientConfig;
  poolSize: number;
  emit: Emit;
}

export function openDatabase({ connection, poolSize, emit }: DatabaseOptions): Database {
  const clients = openClients(connection, poolSize, emit);
  const withClient: Database['withClient'] = async (work) => {
    try {
      return await useClient(clients, work);
    } catch (error) {
      throw translate(error);
    }
  };
  return {
    withClient,
    read: (statement, options = {}) => read(clients, statement, options, emit),
    transaction: (work, options = {}) => transaction(clients, work, options),
    giveUp: clients.giveUpAll,
    statistics: clients.statistics,
    close: clients.close,
  };
}

async function transaction<Result>(
  clients: Clients,
  work: (client: PoolClient) => Promise<Result>,
  { deadline }: ReadOptions,
): Promise<Result> {
  for (;;) {
    let wasIdle = false;
    let begun = false;
    const begunWork = (client: PoolClient): Promise<Result> => {
      begun = true;
      return work(client);
    };
    try {
      return await useClient(clients, (client) => {
        wasIdle = clients.wasIdle(client);
        return deadline === undefined
          ? inTransaction(client, begunWork)
          : untilDeadline(clients, client, deadline, () => inTransaction(client, begunWork));
      });
    } catch (error) {
      if (begun || !wasIdle || !isConnectionLoss(error)) throw translate(error);
    }
  }
}

async function useClient<Result>(
  clients: Clients,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await clients.take();
  let failure: unknown;
  try {
    return await work(client);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    clients.giveBack(client, failure);
  }
}

/**
 * What `useClient` and `untilDeadline` do, in one function: each question passes here, and a layer of promises costs it
 * about as much as its text. `again`: this is not the first try.
 */
async function read<Row extends QueryResultRow>(
  clients: Clients,
  statement: QueryConfig,
  options: ReadOptions,
  emit: Emit,
  again = false,
): Promise<Row[]> {
  const { deadline = performance.now() + readMilliseconds, signal } = options;
  let client: PoolClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  let failure: unknown;
  let wasIdle = false;
  const abort = (): void => {
    if (client) clients.abandon(client);
  };
  try {
    const taken = await clients.take();
    client = taken;
    wasIdle = clients.wasIdle(taken);
    const begun = performance.now();
    if (begun >= deadline) throw tooLate();
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    timer = setTimeout(
      () => {
        late = true;
        clients.abandon(taken);
      },
      Math.ceil(deadline - begun),
    );
    const { bytesRead } = socketOf(taken);
    const { rows } = await taken.query<Row>(statement);
    emit({
      kind: 'statement-read',
      statement: statement.name ?? '',
      rows: rows.length,
      bytes: socketOf(taken).bytesRead - bytesRead,
      milliseconds: performance.now() - begun,
    });
    return rows;
  } catch (error) {
    failure = error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (client) clients.giveBack(client, failure);
  }
  signal?.throwIfAborted();
  if (late) throw tooLate();
  if ((again && !wasIdle) || !isConnectionLoss(failure)) throw translate(failure);
  return read<Row>(clients, statement, { ...options, deadline }, emit, true);
}

async function untilDeadline<Result>(
  clients: Clients,
  client: PoolClient,
  deadline: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const left = deadline - performance.now();
  if (left <= 0) throw tooLate();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    clients.giveUp(client);
  }, left);
  try {
    return await work();
  } catch (error) {
    throw late ? tooLate(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What is thrown at a deadline. */
export const tooLate = (cause?: unknown): FairwayError =>
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
