/** One batch being read by a worker, as seen from the thread that asked: in go buffers, out comes the result. */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import type { Fault } from './faults.js';
import { chunkBytes, chunksUnderWay, type FromWorker, type Opening, type ToWorker } from './messages.js';
import { partOf } from './part-transfer.js';
import type { UploadOptions, UploadPart, UploadResult } from './upload.js';
import { letGo, takeWorker } from './workers.js';

/** Buffers of batches that are done, for the next: made anew for each, they make the garbage collector run all the time. */
const spare: ArrayBuffer[] = [];
const mostSpare = 24;

export class Reading {
  readonly result: Promise<UploadResult>;
  /** Whether the result is settled. */
  over = false;
  readonly #worker: Worker = takeWorker();
  readonly #port: MessagePort;
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
    this.#worker.on('error', this.#onError);
    this.#worker.on('exit', this.#onExit);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', this.#onMessage);
    const ports = options.ports.map(({ code, name }) => ({ code, name }));
    const opening: Opening = { port: port2, options: { ...options, ports } };
    this.#worker.postMessage(opening, [port2]);
  }

  /** A buffer to fill; waits until one has been read where enough are under way. */
  async buffer(): Promise<ArrayBuffer> {
    const free = this.#free.pop();
    if (free) return free;
    // One is filled while the others are under way.
    if (this.#buffersMade++ <= chunksUnderWay) return spare.pop() ?? new ArrayBuffer(chunkBytes);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  send(buffer: ArrayBuffer, length: number): void {
    if (length > 0) this.#post({ kind: 'chunk', buffer, length }, [buffer]);
  }

  end(): void {
    this.#post({ kind: 'end' });
  }

  fail(reason: unknown): void {
    this.over = true;
    this.#reject(reason);
  }

  /** Lets go of the worker, whatever it is doing: what it still says about this batch is not heard. */
  close(): void {
    this.over = true;
    this.#worker.off('error', this.#onError);
    this.#worker.off('exit', this.#onExit);
    this.#port.close();
    for (const buffer of this.#free) if (spare.length < mostSpare) spare.push(buffer);
    if (!this.#died) letGo(this.#worker);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (!this.over) this.#port.postMessage(message, transfer);
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
    if (this.over) return;
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
      this.#post({ kind: 'taken' });
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
