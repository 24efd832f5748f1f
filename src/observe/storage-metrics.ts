/** Metrics of storage: sizes, the disk, what waits to be purged and what was. */
import { Counter, Gauge, type GaugeConfiguration, type Registry } from 'prom-client';
import type { Observers } from './observers.js';

/** As the database tells it, in bytes. */
export interface Storage {
  databaseBytes: number;
  tableBytes: ReadonlyMap<string, number>;
  historyFrom: number;
  waiting: { batches: number; items: number; bytes: number };
}

export interface StorageOptions {
  /** Asks the database; rejects where it does not answer. */
  storage: () => Promise<Storage>;
  /** Room on the database's disk; undefined where it is not known. */
  room: () => Promise<{ free: number; total: number } | undefined>;
  /** What must stay free there. */
  reserveBytes: number;
}

/** The database is asked again after so long, however often metrics are collected. */
const keptMilliseconds = 15_000;

export function purgeMetrics(registry: Registry): Observers {
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [registry] });
  const batches = counter('fairway_purged_batches_total', 'Withdrawn batches whose items were all removed');
  const segments = counter('fairway_purged_segments_total', 'Segments removed');
  const items = counter('fairway_purged_items_total', 'Items removed');
  const bytes = counter('fairway_purged_bytes_total', 'Bytes of packed items removed');
  const faults = counter('fairway_purged_faults_total', 'Faults of rejected batches removed');
  const failures = counter('fairway_purge_failures_total', 'Rounds of purging that failed');
  return {
    'batch-purged': () => batches.inc(),
    'segments-purged': (event) => {
      segments.inc(event.segments);
      items.inc(event.items);
      bytes.inc(event.bytes);
    },
    'faults-purged': (event) => faults.inc(event.faults),
    'purge-failed': () => failures.inc(),
  };
}

/** Read when they are asked for. Where the database does not answer, they say what it said last. */
export function storageGauges(registry: Registry, { storage, room, reserveBytes }: StorageOptions): void {
  const gauge = (configuration: Omit<GaugeConfiguration<string>, 'registers'>): void =>
    registry.registerMetric(new Gauge({ ...configuration, registers: [] }));
  const stored = kept(storage);
  const ofStorage = (name: string, help: string, value: (storage: Storage) => number): void =>
    gauge({
      name,
      help,
      async collect() {
        const now = await stored();
        if (now) this.set(value(now));
      },
    });
  gauge({
    name: 'fairway_table_bytes',
    help: 'Size of each table with its indexes',
    labelNames: ['table'],
    async collect() {
      for (const [table, bytes] of (await stored())?.tableBytes ?? []) this.set({ table }, bytes);
    },
  });
  ofStorage('fairway_database_bytes', 'Size of the database without its log', (now) => now.databaseBytes);
  ofStorage('fairway_history_from', 'The oldest revision that can be asked about', (now) => now.historyFrom);
  ofStorage('fairway_unpurged_batches', 'Withdrawn batches not yet purged', (now) => now.waiting.batches);
  ofStorage('fairway_unpurged_items', 'Their items', (now) => now.waiting.items);
  ofStorage('fairway_unpurged_bytes', 'About what they take up', (now) => now.waiting.bytes);
  diskGauges(gauge, room, reserveBytes);
}

/** There only where the disk is known. */
function diskGauges(
  gauge: (configuration: Omit<GaugeConfiguration<string>, 'registers'>) => void,
  room: StorageOptions['room'],
  reserveBytes: number,
): void {
  const ofRoom = (
    name: string,
    help: string,
    value: (room: { free: number; total: number }) => number,
  ): void =>
    gauge({
      name,
      help,
      async collect() {
        this.remove();
        const now = await room();
        if (now) this.set(value(now));
      },
    });
  ofRoom('fairway_disk_free_bytes', 'What is free on the disk of the database', ({ free }) => free);
  ofRoom('fairway_disk_total_bytes', 'Size of the disk of the database', ({ total }) => total);
  ofRoom('fairway_disk_reserve_bytes', 'Batches are refused while less is free', () => reserveBytes);
}

/** Asks at most every 15 seconds and once for all who ask at a time; what was last known where there is no answer. */
function kept(storage: () => Promise<Storage>): () => Promise<Storage | undefined> {
  let last: Storage | undefined;
  let asking: Promise<Storage | undefined> | undefined;
  let askedAt = -Infinity;
  return () => {
    const now = performance.now();
    if (asking === undefined || now - askedAt >= keptMilliseconds) {
      askedAt = now;
      asking = storage().then(
        (answer) => (last = answer),
        () => last,
      );
    }
    return asking;
  };
}
