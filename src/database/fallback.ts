/**
 * Reads of a standby, and of the primary while the standby cannot be reached: the primary has every revision that the
 * standby has. A standby that is slow or behind is asked all the same, or its load would come down on the primary.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { QueryConfig, QueryResultRow } from 'pg';
import { codeOf, messageOf } from '../errors.js';
import type { Emit } from '../events.js';
import type { Database, ReadOptions } from './database.js';
import { unavailable } from './failures.js';

/** From one try of a standby that is away to the next, while anybody asks. */
const retryMilliseconds = 250;
/** A standby that takes longer for a new connection and the cheapest statement is as good as away. */
const patienceMilliseconds = 1_000;

/** The standby had to replay what the statement stood in the way of. Source: PostgreSQL, "Handling Query Conflicts". */
const conflicts = new Set(['40001', '40P01']);
/** May be the load, or a machine that has gone without a word: a look decides. */
const doubtful = new Set(['database_timeout', 'overloaded']);

export interface FallbackOptions {
  standby: Database;
  /** Another pool over the standby, of one connection: a look waits for nobody. */
  probe: Database;
  primary: Database;
  emit: Emit;
}

/** The standby, with its reads handed to the primary where it is away. */
export function withFallback({ standby, probe, primary, emit }: FallbackOptions): Database {
  let away = false;
  let looking: Promise<void> | undefined;
  const lost = (error: unknown): void => {
    if (!away) emit({ kind: 'standby-lost', reason: messageOf(error) });
    away = true;
  };
  const lookNow = async (): Promise<void> => {
    try {
      await soon(probe.read({ text: 'select 1' }));
      if (away) emit({ kind: 'standby-back' });
      away = false;
    } catch (error) {
      lost(error);
      // Whoever waits there for an answer that does not come asks the primary, too.
      standby.giveUp();
    }
    setTimeout(() => (looking = undefined), retryMilliseconds).unref();
  };
  /** One look for all; also a while after it, what it found. */
  const look = (): Promise<void> => (looking ??= lookNow());
  return {
    ...standby,
    read: async <Row extends QueryResultRow>(
      statement: QueryConfig,
      options?: ReadOptions,
    ): Promise<Row[]> => {
      if (!away) {
        try {
          return await standby.read<Row>(statement, options);
        } catch (error) {
          const code = codeOf(error) ?? '';
          if (code === 'database_unavailable') lost(error);
          else if (doubtful.has(code)) await look();
          if (!away && !conflicts.has(code)) throw error;
        }
      }
      if (away) void look();
      return primary.read<Row>(statement, options);
    },
    close: async () => {
      await probe.close();
      await standby.close();
    },
  };
}

/** As `answer`, unless that takes too long. */
async function soon(answer: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  const late = delay(patienceMilliseconds, undefined, { signal: ended.signal }).then(() => {
    throw unavailable();
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    ended.abort();
    late.catch(() => undefined);
  }
}
