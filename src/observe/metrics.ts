/** Metrics: a subscriber of events. In go events, out comes text in the format of Prometheus. */
import { collectDefaultMetrics, Gauge, Registry, type GaugeConfiguration } from 'prom-client';
import type { Emit } from '../events.js';
import { debtGauges, type DebtOptions } from './debt-metrics.js';
import type { Observers } from './observers.js';
import { Distribution, LabelledTally, Tally } from './tallies.js';
import { purgeMetrics, storageGauges, type StorageOptions } from './storage-metrics.js';
import { uploadMetrics } from './upload-metrics.js';

export interface MetricsOptions extends StorageOptions, DebtOptions {
  /** Connections of the pool now. */
  pool: () => { total: number; idle: number; waiting: number };
  /** Asks the database for the newest revision; rejects where it does not answer. */
  revision: () => Promise<number>;
  /** What loads may use of one core's time just now, in percent. */
  loadShare: () => number;
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
  storageGauges(registry, options);
  debtGauges(registry, options);
  return {
    observe: (event) => observers[event.kind]?.(event as never),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function eventMetrics(registry: Registry): Observers {
  const tally = (name: string, help: string): Tally => new Tally(registry, { name, help });
  const requests = new LabelledTally(registry, {
    name: 'fairway_http_requests_total',
    help: 'Requests answered, by route, method and status',
  });
  const durations = new Distribution(
    registry,
    {
      name: 'fairway_http_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer, by route',
    },
    requestSeconds,
  );
  const waits = new Distribution(
    registry,
    { name: 'fairway_pool_wait_seconds', help: 'How long a connection to the database was waited for' },
    waitSeconds,
  );
  const rows = tally('fairway_read_rows_total', 'Rows read from the database');
  const bytes = tally('fairway_read_bytes_total', 'Bytes read from the database');
  const statements = tally('fairway_read_statements_total', 'Statements that read');
  const cache = new LabelledTally(registry, {
    name: 'fairway_answer_cache_total',
    help: 'Answers to rates: kept (hit), from a kept lane (lane), kept but maybe no longer the newest (stale), computed (miss)',
  });
  const dropped = tally(
    'fairway_answers_dropped_total',
    'Kept answers that were dropped because what they are about changed',
  );
  const losses = tally('fairway_database_losses_total', 'Times the database was lost');
  const standbyLosses = tally(
    'fairway_standby_losses_total',
    'Times the standby of FAIRWAY_READ_URL was lost, and the primary asked instead',
  );
  const rollups = tally('fairway_rollups_total', 'Times that rollups were brought up to date');
  // Most requests are like the one before: a text put together anew each time would also be hashed anew.
  let last = { route: '', method: '', status: 0, key: '' };
  return {
    request: ({ route, method, status, milliseconds }) => {
      if (last.route !== route || last.method !== method || last.status !== status)
        last = { route, method, status, key: `${method} ${status} ${route}` };
      requests.add(last.key, () => ({ route, method, status: String(status) }));
      durations.add(milliseconds / 1_000, route, () => ({ route }));
    },
    'connection-taken': ({ waitedMilliseconds }) => waits.add(waitedMilliseconds / 1_000),
    'statement-read': (event) => {
      statements.add(1);
      rows.add(event.rows);
      bytes.add(event.bytes);
    },
    'answer-cache': ({ outcome }) => cache.add(outcome, () => ({ outcome })),
    'answers-dropped': ({ answers }) => dropped.add(answers),
    'database-lost': () => losses.add(1),
    'standby-lost': () => standbyLosses.add(1),
    'rolled-up': () => rollups.add(1),
    ...uploadMetrics(registry),
    ...purgeMetrics(registry),
  };
}

/** Read at the moment they are asked for. */
function gauges(registry: Registry, { pool, revision, loadShare }: MetricsOptions): void {
  const gauge = (configuration: Omit<GaugeConfiguration<string>, 'registers'>): void =>
    registry.registerMetric(new Gauge({ ...configuration, registers: [] }));
  gauge({
    name: 'fairway_pool_connections',
    help: 'Connections to the database, by state',
    labelNames: ['state'],
    collect() {
      const { total, idle } = pool();
      this.set({ state: 'total' }, total);
      this.set({ state: 'idle' }, idle);
    },
  });
  gauge({
    name: 'fairway_pool_waiting',
    help: 'Who waits for a connection to the database',
    collect() {
      this.set(pool().waiting);
    },
  });
  gauge({
    name: 'fairway_load_share_percent',
    help: 'What loads may use of one core’s time just now',
    collect() {
      this.set(loadShare());
    },
  });
  // Both gauges are collected at the same time: one question answers both.
  let asking: Promise<number> | undefined;
  let last = 0;
  const ask = (): Promise<number> => (asking ??= revision().finally(() => (asking = undefined)));
  gauge({
    name: 'fairway_revision',
    help: 'The newest revision, as last read',
    async collect() {
      last = await ask().catch(() => last);
      this.set(last);
    },
  });
  gauge({
    name: 'fairway_database_up',
    help: '1 where the database answered just now, else 0',
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
