/**
 * The pool: in go connection options, out come statements with a deadline and transactions.
 * A client that ran into its deadline or lost its server is destroyed, never reused.
 */
import pg from 'pg';
import type { ClientConfig, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { Emit } from '../events.js';
import { FairwayError, messageOf } from '../errors.js';

const connectMilliseconds = 3_000;
/** A read that takes longer than this is given up, and its connection with it. */
const readMilliseconds = 15_000;

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
  const watch = watchAvailability(emit);
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => watch.failed(error));

  const checkout = async (): Promise<PoolClient> => {
    try {
      const client = await pool.connect();
      watch.succeeded();
      return client;
    } catch (error) {
      watch.failed(error);
      throw translate(error);
    }
  };

  const withClient = async <Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> => {
    const client = await checkout();
    let broken: Error | undefined;
    const onError = (error: Error): void => void (broken = error);
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      if (isConnectionLoss(error)) {
        broken ??= error instanceof Error ? error : new Error(String(error));
        watch.failed(error);
      }
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  const readOnce = <Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]> =>
    withClient(async (client) => {
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
        throw new FairwayError('database_timeout', `no answer within ${readMilliseconds / 1000} s; try again later`);
      } finally {
        clearTimeout(deadline);
      }
    });

  return {
    withClient,
    read: async (statement) => {
      try {
        return await readOnce(statement);
      } catch (error) {
        if (!isConnectionLoss(error)) throw translate(error);
      }
      try {
        return await readOnce(statement);
      } catch (error) {
        throw translate(error);
      }
    },
    transaction: (work) => withClient((client) => inTransaction(client, work)),
    close: () => pool.end(),
  };
}

async function inTransaction<Result>(client: PoolClient, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
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

/** Says once that the database is gone and once that it is back, however many requests notice. */
function watchAvailability(emit: Emit): { failed(error: unknown): void; succeeded(): void } {
  let lost = false;
  return {
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

// Source: PostgreSQL documentation, appendix A: class 08 connection exceptions, 57P01-57P03 shutdown and start.
const lossStates = /^(08...|57P0[1-5])$/;
const lossErrnos = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT']);

/** Whether the connection, not the statement, is what failed. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof FairwayError) return error.code === 'database_unavailable';
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (lossStates.test(code) || lossErrnos.has(code))) return true;
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed)/.test(error.message);
}

/** Turns what `pg` throws into an error of the catalogue where there is one for it. */
export function translate(error: unknown): unknown {
  if (error instanceof FairwayError || !(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  if (isConnectionLoss(error) || code === '53300') {
    return new FairwayError('database_unavailable', 'the database cannot be reached just now; try again in a moment', { cause: error });
  }
  if (code === '28P01' || code === '28000' || code === '3D000') {
    return new FairwayError('database_refused', 'the database refused the connection; check its name, user and password', { cause: error });
  }
  if (code === '3F000' || code === '42P01') {
    return new FairwayError('schema_missing', "the database has no (or an older) schema 'fairway'; run 'fairway migrate' first", { cause: error });
  }
  if (code === '53100') {
    return new FairwayError('disk_full', 'the disk of the database is full; free space and try again', { cause: error });
  }
  return error;
}
