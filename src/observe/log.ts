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
  'standby-lost': 'warn',
  'standby-back': 'warn',
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

/** Characters of gathered lines that are written at once, and how long they wait for others. */
const gathered = 32_768;
const longestWaitMilliseconds = 100;

/** `level` as in FAIRWAY_LOG_LEVEL; `auto` is quiet for a person at a terminal and full for a collector. */
export function createLog(level: string, terminal: boolean, dest: number | string = 2): Emit {
  const output = pino.destination({ dest, sync: true });
  const logger = pino({ level: level === 'auto' ? (terminal ? 'warn' : 'info') : level, base: null }, output);
  const enabled = {
    error: logger.isLevelEnabled('error'),
    warn: logger.isLevelEnabled('warn'),
    info: logger.isLevelEnabled('info'),
    debug: logger.isLevelEnabled('debug'),
  };
  const lines = new Lines((text) => void output.write(text));
  return (event) => {
    const eventLevel = levels[event.kind] ?? 'info';
    // Asked first: most events are below the level, and taking them apart would cost each request.
    if (!enabled[eventLevel]) return;
    if (event.kind === 'request') return lines.add(requestLine(event));
    lines.write();
    const { kind, error, ...rest } = event as FairwayEvent & { error?: unknown };
    logger[eventLevel]({ event: kind, ...rest, ...(error === undefined ? {} : { err: error }) });
  };
}

/**
 * Lines on their way out. A write for each would cost as much as the rest of a request; handing each to pino's
 * destination, which gathers as well, costs less, but still more than this (docs/decisions/0006-cache.md). A process
 * that is killed loses them.
 */
class Lines {
  readonly #output: (text: string) => void;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(output: (text: string) => void) {
    this.#output = output;
    process.once('exit', () => this.write());
  }

  add(line: string): void {
    this.#text += line;
    if (this.#text.length >= gathered) return this.write();
    this.#timer ??= setTimeout(() => this.write(), longestWaitMilliseconds).unref();
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#output(text);
  }
}

const info = 30;

/** The line pino would write, put together by hand: of the one event that is frequent, for half the cost (bench/read). */
function requestLine({ id, method, url, route, status, milliseconds }: RequestEvent): string {
  const took = Math.round(milliseconds * 1_000) / 1_000;
  return `{"level":${info},"time":${Date.now()},"event":"request","id":"${id}","method":"${method}","url":${JSON.stringify(url)},"route":"${route}","status":${status},"milliseconds":${took}}\n`;
}
