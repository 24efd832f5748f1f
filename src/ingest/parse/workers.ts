/**
 * The threads that read batches: started when there is none idle, for that takes longer than reading a small batch;
 * kept for the next batch, up to a bound. Idle ones do not keep the process alive.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const mostIdle = Math.min(4, Math.max(2, availableParallelism()));
/** So that a batch that makes strings without end does not grow the process: the garbage is collected earlier. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** From sources, as in the tests, the built file: a thread runs JavaScript alone. */
const file = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/ingest/parse/worker.js' : './worker.js',
  import.meta.url,
);

const idle: Worker[] = [];

/** A thread for one batch, to be given back with `letGo`. */
export function takeWorker(): Worker {
  const worker = idle.pop() ?? startWorker();
  worker.ref();
  return worker;
}

export function letGo(worker: Worker): void {
  worker.unref();
  if (idle.length < mostIdle) idle.push(worker);
  else void worker.terminate();
}

function startWorker(): Worker {
  const worker = new Worker(file, { resourceLimits, execArgv: [] });
  // One that died is not there any more for the next batch. Without a listener an error would end the process.
  worker.on('error', () => forget(worker));
  worker.on('exit', () => forget(worker));
  return worker;
}

function forget(worker: Worker): void {
  const index = idle.indexOf(worker);
  if (index >= 0) idle.splice(index, 1);
}
