/** The log: a subscriber of events. In goes an event, out goes one line of JSON on standard error. */
import pino from 'pino';
import type { Emit, FairwayEvent } from '../events.js';

type Level = 'error' | 'warn' | 'info' | 'debug';

const levels: Partial<Record<FairwayEvent['kind'], Level>> = {
  'request-failed': 'error',
  'postgres-restart-failed': 'error',
  'postgres-crashed': 'warn',
  'database-lost': 'warn',
  'database-back': 'warn',
  'postgres-adopted': 'warn',
};

/** `level` as in FAIRWAY_LOG_LEVEL; `auto` is quiet for a person at a terminal and full for a collector. */
export function createLog(level: string, terminal: boolean): Emit {
  const logger = pino(
    { level: level === 'auto' ? (terminal ? 'warn' : 'info') : level, base: null },
    pino.destination({ dest: 2, sync: false }),
  );
  return ({ kind, ...details }) => {
    const { error, ...rest } = details as { error?: unknown };
    logger[levels[kind] ?? 'info']({ event: kind, ...rest, ...(error === undefined ? {} : { err: error }) });
  };
}
