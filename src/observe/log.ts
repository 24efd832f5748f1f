/** The log: a subscriber of events. In goes an event, out goes one line of JSON on standard error. */
import pino from 'pino';
import type { Emit, FairwayEvent } from '../events.js';

type RequestEvent = Extract<FairwayEvent, { kind: 'request' }>;

type Level = 'error' | 'warn' | 'info' | 'debug';

const levels: Partial<Record<FairwayEvent['kind'], Level>> = {
  'request-failed': 'error',
  'roll-up-failed': 'error',
  'postgres-restart-failed': 'error',
  'postgres-crashed': 'warn',
  'database-lost': 'warn',
  'database-back': 'warn',
  'postgres-adopted': 'warn',
  'connection-taken': 'debug',
  'statement-read': 'debug',
  'answer-cache': 'debug',
  'answers-dropped': 'debug',
  'collect-failed': 'error',
  'segments-purged': 'debug',
  'purge-failed': 'error',
  'disk-nearly-full': 'error',
  'disk-has-room': 'warn',
  'upload-begun': 'debug',
  'upload-ended': 'debug',
  'part-begun': 'debug',
  'part-ended': 'debug',
};

const flushMilliseconds = 100;

/** `level` as in FAIRWAY_LOG_LEVEL; `auto` is quiet for a person at a terminal and full for a collector. */
export function createLog(level: string, terminal: boolean, dest: number | string = 2): Emit {
  // A write per line costs as much as the rest of a request: lines are gathered, for a moment at the most. pino writes
  // out what is gathered when the process ends, unless it is killed.
  const output = pino.destination({
    dest,
    sync: true,
    minLength: 4_096,
    periodicFlush: flushMilliseconds,
  });
  const logger = pino({ level: level === 'auto' ? (terminal ? 'warn' : 'info') : level, base: null }, output);
  const enabled = {
    error: logger.isLevelEnabled('error'),
    warn: logger.isLevelEnabled('warn'),
    info: logger.isLevelEnabled('info'),
    debug: logger.isLevelEnabled('debug'),
  };
  return (event) => {
    const eventLevel = levels[event.kind] ?? 'info';
    // Asked first: most events are below the level, and taking them apart would cost each request.
    if (!enabled[eventLevel]) return;
    if (event.kind === 'request') {
      output.write(requestLine(event));
      return;
    }
    const { kind, error, ...rest } = event as FairwayEvent & { error?: unknown };
    logger[eventLevel]({ event: kind, ...rest, ...(error === undefined ? {} : { err: error }) });
  };
}

const info = 30;

/** The line pino would write, put together by hand: of the one event that is frequent, for half the cost (bench/read). */
function requestLine({ id, method, url, route, status, milliseconds }: RequestEvent): string {
  const took = Math.round(milliseconds * 1_000) / 1_000;
  return `{"level":${info},"time":${Date.now()},"event":"request","id":"${id}","method":"${method}","url":${JSON.stringify(url)},"route":"${route}","status":${status},"milliseconds":${took}}\n`;
}
