/**
 * The threads that read batches: as many as there are processors for, each started when all before it are busy, for that
 * takes longer than reading a small batch. Beyond that, batches share them. Idle ones are kept, and do not keep the
 * process alive.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const mostThreads = Math.min(4, Math.max(2, availableParallelism()));
/** So that a batch that makes strings without end does not grow the process: the garbage is collected earlier. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** From sources, as in the tests, the built file: a thread runs JavaScript alone. */
const file = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/ingest/parse/worker.js' : './worker.js',
  import.meta.url,
);

/** Batches that each thread reads. */
const threads = new Map<Worker, number>();

/** The least busy thread, for one batch; to be given back with `letGo`. */
export function takeWorker(): Worker {
  let [worker, batches] = leastBusy();
  if (!worker || (batches > 0 && threads.size < mostThreads)) [worker, batches] = [startWorker(), 0];
  threads.set(worker, batches + 1);
  worker.ref();
  return worker;
}

export function letGo(worker: Worker): void {
  const batches = (threads.get(worker) ?? 0) - 1;
  if (batches < 0) return;
  threads.set(worker, batches);
  if (batches === 0) worker.unref();
}

function leastBusy(): [Worker | undefined, number] {
  let least: [Worker | undefined, number] = [undefined, 0];
  for (const [worker, batches] of threads) if (!least[0] || batches < least[1]) least = [worker, batches];
  return least;
}

function startWorker(): Worker {
  const worker = new Worker(file, { resourceLimits, execArgv: [] });
  // Each batch of a thread listens whether it died.
  worker.setMaxListeners(0);
  // One that died is not there any more for the next batch. Without a listener an error would end the process.
  worker.on('error', () => threads.delete(worker));
  worker.on('exit', () => threads.delete(worker));
  return worker;
}
