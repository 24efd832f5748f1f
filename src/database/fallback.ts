/**
 * Reads of a standby, and of the primary while the standby cannot be reached: the primary has every revision that the
 * standby has. A standby that is slow or behind is asked all the same, or its load would come down on the primary; only
 * one that comes back must first have got as far as the primary was then, or answers would go back in time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { QueryConfig, QueryResultRow } from 'pg';
import { codeOf, messageOf } from '../errors.js';
import type { Emit } from '../events.js';
import type { Database, ReadOptions } from './database.js';
import { unavailable } from './failures.js';

/** From one try of a standby that is away to the next, while anybody asks. */
const retryMilliseconds = 250;
/** While reads are under way there, nothing coming back for so long is looked into. */
const silentMilliseconds = 1_000;
/** A standby that takes longer for a new connection and the cheapest statement is as good as away. */
const patienceMilliseconds = 1_000;

/** The standby had to replay what the statement stood in the way of. Source: PostgreSQL, "Handling Query Conflicts". */
const conflicts = new Set(['40001', '40P01']);
/** May be the load, or a machine that has gone without a word: a look decides. */
const doubtful = new Set(['database_timeout', 'overloaded']);

/** Flushed: that is what standbys are sent. */
const written = { text: 'select pg_current_wal_flush_lsn()::text as written' };
/** True where it is no standby. */
const hasReplayed = (written: string): QueryConfig => ({
  text: 'select not pg_is_in_recovery() or pg_last_wal_replay_lsn() >= $1::pg_lsn as replayed',
  values: [written],
});

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
  /** How far the primary was when the standby came back. */
  let goal: string | undefined;
  const lost = (error: unknown): void => {
    if (!away) emit({ kind: 'standby-lost', reason: messageOf(error) });
    away = true;
  };
  const hasCaughtUp = async (): Promise<boolean> => {
    const deadline = performance.now() + patienceMilliseconds;
    const [now] = await soon(primary.read<{ written: string }>(written, { deadline })).catch(() => []);
    // Without the primary an old answer is better than none.
    if (!now) return true;
    goal ??= now.written;
    const [row] = await soon(probe.read<{ replayed: boolean }>(hasReplayed(goal)));
    return row?.replayed === true;
  };
  const lookNow = async (): Promise<void> => {
    try {
      await soon(probe.read({ text: 'select 1' }));
      if (away && (await hasCaughtUp())) {
        emit({ kind: 'standby-back' });
        away = false;
        goal = undefined;
      }
    } catch (error) {
      lost(error);
      goal = undefined;
      // Its connection may never say another word, though the standby takes new ones.
      probe.giveUp();
      // Whoever waits there for an answer that does not come asks the primary, too.
      standby.giveUp();
    }
    setTimeout(() => (looking = undefined), retryMilliseconds).unref();
  };
  /** One look for all; also a while after it, what it found. */
  const look = (): Promise<void> => (looking ??= lookNow());
  const answers = new Answers(() => void look());
  return {
    ...standby,
    read: async <Row extends QueryResultRow>(
      statement: QueryConfig,
      options?: ReadOptions,
    ): Promise<Row[]> => {
      if (!away) {
        try {
          return await answers.of(() => standby.read<Row>(statement, options));
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

/** Calls `silent` where reads are under way and none has ended for a while, once a while. */
class Answers {
  readonly #silent: () => void;
  #underWay = 0;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(silent: () => void) {
    this.#silent = silent;
  }

  async of<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    if (this.#underWay++ === 0) this.#last = performance.now();
    if (!this.#timer) this.#wait(silentMilliseconds);
    try {
      return await read();
    } finally {
      this.#underWay--;
      this.#last = performance.now();
    }
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#check(), milliseconds).unref();
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#underWay === 0) return;
    const left = this.#last + silentMilliseconds - performance.now();
    if (left <= 0) this.#silent();
    this.#wait(left > 0 ? left : silentMilliseconds);
  }
}

/** As `answer`, unless that takes too long. */
async function soon<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const ended = new AbortController();
  const late = delay(patienceMilliseconds, undefined, { signal: ended.signal }).then((): never => {
    throw unavailable();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    ended.abort();
    late.catch(() => undefined);
  }
}
