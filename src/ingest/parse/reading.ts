/** One batch being read by a worker, as seen from the thread that asked: in go buffers, out comes the result. */
import type { Worker } from 'node:worker_threads';
import type { Fault } from './faults.js';
import { chunkBytes, chunksUnderWay, type FromWorker, type ToWorker } from './messages.js';
import { partOf } from './part-transfer.js';
import type { UploadOptions, UploadPart, UploadResult } from './upload.js';
import { letGo, takeWorker } from './workers.js';

let jobs = 0;

export class Reading {
  readonly result: Promise<UploadResult>;
  /** Whether the result is settled. */
  over = false;
  readonly #worker: Worker = takeWorker();
  readonly #job = ++jobs;
  readonly #onPart: (part: UploadPart) => Promise<void>;
  readonly #faults: Fault[] = [];
  readonly #free: ArrayBuffer[] = [];
  #buffersMade = 0;
  #waiting: ((buffer: ArrayBuffer) => void) | undefined;
  #died = false;
  /** Parts are taken one after the other, and the result comes after the last. */
  #parts: Promise<void> = Promise.resolve();
  #resolve: (result: UploadResult) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(options: UploadOptions, onPart: (part: UploadPart) => Promise<void>) {
    this.#onPart = onPart;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#worker.on('message', this.#onMessage);
    this.#worker.on('error', this.#onError);
    this.#worker.on('exit', this.#onExit);
    const ports = options.ports.map(({ code, name }) => ({ code, name }));
    this.#post({ kind: 'open', job: this.#job, options: { ...options, ports } });
  }

  /** A buffer to fill; waits until one has been read where enough are under way. */
  async buffer(): Promise<ArrayBuffer> {
    const free = this.#free.pop();
    if (free) return free;
    // One is filled while the others are under way.
    if (this.#buffersMade++ <= chunksUnderWay) return new ArrayBuffer(chunkBytes);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  send(buffer: ArrayBuffer, length: number): void {
    if (length > 0) this.#post({ kind: 'chunk', job: this.#job, buffer, length }, [buffer]);
  }

  end(): void {
    this.#post({ kind: 'end', job: this.#job });
  }

  fail(reason: unknown): void {
    this.over = true;
    this.#reject(reason);
  }

  /** Lets go of the worker, whatever it is doing: what it still says about this batch is not heard. */
  close(): void {
    this.over = true;
    this.#worker.off('message', this.#onMessage);
    this.#worker.off('error', this.#onError);
    this.#worker.off('exit', this.#onExit);
    if (this.#died) return;
    this.#worker.postMessage({ kind: 'drop', job: this.#job } satisfies ToWorker, []);
    letGo(this.#worker);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (!this.over) this.#worker.postMessage(message, transfer);
  }

  readonly #onError = (error: unknown): void => {
    this.#died = true;
    this.fail(error);
  };

  readonly #onExit = (code: number): void => {
    this.#died = true;
    this.fail(new Error(`the thread that reads the batch ended with ${code}`));
  };

  readonly #onMessage = (message: FromWorker): void => {
    if (message.job !== this.#job) return;
    switch (message.kind) {
      case 'read':
        this.#bufferBack(message.buffer);
        break;
      case 'part':
        this.#parts = this.#takePart(message);
        break;
      case 'faults':
        for (const fault of message.faults) this.#faults.push(fault);
        break;
      case 'failed':
        this.fail(new Error(message.message));
        break;
      case 'done':
        void this.#finish(message.summary);
    }
  };

  #bufferBack(buffer: ArrayBuffer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(buffer);
    else this.#free.push(buffer);
  }

  async #takePart({ items, lanes, buffers }: Extract<FromWorker, { kind: 'part' }>): Promise<void> {
    try {
      await this.#onPart({ items, lanes, ...partOf(buffers) });
      this.#post({ kind: 'taken', job: this.#job });
    } catch (error) {
      this.fail(error);
    }
  }

  async #finish(summary: Extract<FromWorker, { kind: 'done' }>['summary']): Promise<void> {
    await this.#parts;
    this.over = true;
    this.#resolve({ ...summary, sha256: Buffer.from(summary.sha256), faults: this.#faults });
  }
}
