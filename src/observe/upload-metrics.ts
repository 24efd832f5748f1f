/** Metrics of uploads: how many run, how they end, how long loads take. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observers } from './observers.js';

const loadSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

export function uploadMetrics(registry: Registry): Observers {
  const registers = [registry];
  const running = new Gauge({
    name: 'fairway_uploads_running',
    help: 'Uploads and parts under way',
    registers,
  });
  const ended = new Counter({
    name: 'fairway_batches_total',
    help: 'Uploads by how they ended: published, rejected, repeated, checked (dry run), failed',
    labelNames: ['outcome'],
    registers,
  });
  const parts = new Counter({
    name: 'fairway_parts_total',
    help: 'Parts of batches by how they ended: stored, repeated, rejected, failed',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'fairway_load_seconds',
    help: 'From the claim of a batch to its verdict',
    buckets: loadSeconds,
    registers,
  });
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  const items = counter('fairway_items_loaded_total', 'Items published');
  const withdrawn = counter(
    'fairway_batches_withdrawn_total',
    'Batches withdrawn, apart from those replaced',
  );
  const collected = counter(
    'fairway_attempts_collected_total',
    'Tries to load that ended without effect and were removed',
  );
  return {
    'upload-begun': () => running.inc(),
    'upload-ended': ({ outcome }) => {
      running.dec();
      ended.inc({ outcome });
    },
    'part-begun': () => running.inc(),
    'part-ended': ({ outcome }) => {
      running.dec();
      parts.inc({ outcome });
    },
    'batch-published': (event) => {
      items.inc(event.items);
      seconds.observe(event.milliseconds / 1_000);
    },
    'batch-rejected': (event) => seconds.observe(event.milliseconds / 1_000),
    'batch-withdrawn': () => withdrawn.inc(),
    'attempt-collected': () => collected.inc(),
  };
}
