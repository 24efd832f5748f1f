/** Metrics: a subscriber of events. In go events, out comes text in the format of Prometheus. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Emit } from '../events.js';
import type { Observers } from './observers.js';
import { uploadMetrics } from './upload-metrics.js';

export interface MetricsOptions {
  /** Connections of the pool now. */
  pool(): { total: number; idle: number; waiting: number };
  /** Asks the database for the newest revision; rejects where it does not answer. */
  revision(): Promise<number>;
}

export interface Metrics {
  observe: Emit;
  contentType: string;
  text(): Promise<string>;
}

const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const waitSeconds = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 3];

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const observers = eventMetrics(registry);
  gauges(registry, options);
  return {
    observe: (event) => observers[event.kind]?.(event as never),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function eventMetrics(registry: Registry): Observers {
  const registers = [registry];
  const requests = new Counter({
    name: 'fairway_http_requests_total',
    help: 'Requests answered, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'fairway_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer, by route',
    labelNames: ['route'],
    buckets: requestSeconds,
    registers,
  });
  const waits = new Histogram({
    name: 'fairway_pool_wait_seconds',
    help: 'How long a connection to the database was waited for',
    buckets: waitSeconds,
    registers,
  });
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  const rows = counter('fairway_read_rows_total', 'Rows read from the database');
  const bytes = counter('fairway_read_bytes_total', 'Bytes read from the database');
  const statements = counter('fairway_read_statements_total', 'Statements that read');
  const cache = new Counter({
    name: 'fairway_answer_cache_total',
    help: 'Answers to rates, by whether they were kept (hit) or computed (miss)',
    labelNames: ['outcome'],
    registers,
  });
  const losses = counter('fairway_database_losses_total', 'Times the database was lost');
  const uploads = uploadMetrics(registers);
  // A label is looked up once; hashing it for each request is what prom-client spends most on.
  const children = new Map<string, { inc(): void; observe(seconds: number): void }>();
  return {
    request: ({ route, method, status, milliseconds }) => {
      const name = `${method} ${status} ${route}`;
      let child = children.get(name);
      if (!child) {
        const requestsOf = requests.labels(route, method, String(status));
        const durationsOf = durations.labels(route);
        child = { inc: () => requestsOf.inc(), observe: (seconds) => durationsOf.observe(seconds) };
        children.set(name, child);
      }
      child.inc();
      child.observe(milliseconds / 1_000);
    },
    'connection-taken': ({ waitedMilliseconds }) => waits.observe(waitedMilliseconds / 1_000),
    'statement-read': (event) => {
      statements.inc();
      rows.inc(event.rows);
      bytes.inc(event.bytes);
    },
    'answer-cache': ({ hit }) => cache.inc({ outcome: hit ? 'hit' : 'miss' }),
    'database-lost': () => losses.inc(),
    ...uploads,
  };
}

/** Read at the moment they are asked for. */
function gauges(registry: Registry, { pool, revision }: MetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'fairway_pool_connections',
    help: 'Connections to the database, by state',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, idle } = pool();
      this.set({ state: 'total' }, total);
      this.set({ state: 'idle' }, idle);
    },
  });
  new Gauge({
    name: 'fairway_pool_waiting',
    help: 'Who waits for a connection to the database',
    registers,
    collect() {
      this.set(pool().waiting);
    },
  });
  // Both gauges are collected at the same time: one question answers both.
  let asking: Promise<number> | undefined;
  let last = 0;
  const ask = (): Promise<number> => (asking ??= revision().finally(() => (asking = undefined)));
  new Gauge({
    name: 'fairway_revision',
    help: 'The newest revision, as last read',
    registers,
    async collect() {
      last = await ask().catch(() => last);
      this.set(last);
    },
  });
  new Gauge({
    name: 'fairway_database_up',
    help: '1 where the database answered just now, else 0',
    registers,
    async collect() {
      this.set(
        await ask().then(
          () => 1,
          () => 0,
        ),
      );
    },
  });
}
