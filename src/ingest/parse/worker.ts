/**
 * The thread that reads batches, one at a time: in come chunks of bytes, out go packed parts, faults and the hash. A
 * full part waits until the one before it was taken, and with it the chunk that filled it: that holds up the sender.
 */
import { createHash, type Hash } from 'node:crypto';
import { parentPort, type MessagePort } from 'node:worker_threads';
import { messageOf } from '../../errors.js';
import { PartPacker, partCapacity } from '../pack.js';
import { chunkBytes, chunksUnderWay, type FromWorker, type ToWorker } from './messages.js';
import { gatherSegments } from './part-transfer.js';
import { Rests } from './rests.js';
import { UploadReader } from './upload-reader.js';

/** No row is shorter than `A,B,1970-01-01,1` and its line end. */
const shortestRow = 17;
const slack = Math.ceil(((chunksUnderWay + 1) * chunkBytes) / shortestRow);
/** Faults in one message: what the other thread takes in without holding up its event loop. */
const faultsInMessage = 1_000;

/** One for all batches of this thread: its arrays are large. */
const packer = new PartPacker(partCapacity + slack);

class Job {
  readonly #port: MessagePort;
  readonly #job: number;
  readonly #reader: UploadReader;
  readonly #hash: Hash = createHash('sha256');
  readonly #rests: Rests;
  #lanesSent = 0;
  /** A part was sent and not yet taken. */
  #partUnderWay = false;
  #ended = false;
  /** Chunks that are read but not yet given back. */
  readonly #heldBack: ArrayBuffer[] = [];

  constructor(port: MessagePort, message: Extract<ToWorker, { kind: 'open' }>) {
    this.#port = port;
    this.#job = message.job;
    this.#rests = new Rests(message.options.pace);
    packer.clear();
    this.#reader = new UploadReader(message.options, {
      item: (lane, day, price) => packer.add(lane, day, price),
    });
  }

  chunk(buffer: ArrayBuffer, length: number): void {
    for (const piece of this.#rests.between(new Uint8Array(buffer, 0, length))) {
      this.#hash.update(piece);
      this.#reader.write(piece);
    }
    this.#sendFaults();
    this.#heldBack.push(buffer);
    this.#goOn();
  }

  end(): void {
    this.#reader.end();
    this.#sendFaults();
    this.#ended = true;
    this.#goOn();
  }

  taken(): void {
    this.#partUnderWay = false;
    this.#goOn();
  }

  /** Sends a part where there is one to send, then gives chunks back, unless a full part has to wait. */
  #goOn(): void {
    if (this.#reader.faults.total > 0) packer.clear();
    const waiting = this.#ended ? packer.size > 0 : packer.size >= partCapacity;
    if (waiting && this.#partUnderWay) return;
    if (waiting) this.#sendPart();
    for (const buffer of this.#heldBack.splice(0))
      this.#send({ kind: 'read', job: this.#job, buffer }, [buffer]);
    if (this.#ended) this.#sendSummary();
  }

  #sendPart(): void {
    const items = packer.size;
    const lanes = [];
    while (this.#lanesSent < this.#reader.lanes) lanes.push(this.#reader.lane(this.#lanesSent++));
    const buffers = gatherSegments(this.#rests.among(packer.drain(this.#lanesSent)));
    this.#partUnderWay = true;
    this.#send({ kind: 'part', job: this.#job, items, lanes, buffers }, [
      buffers.index.buffer,
      buffers.payload,
    ]);
  }

  #sendFaults(): void {
    const faults = this.#reader.faults.take();
    for (let from = 0; from < faults.length; from += faultsInMessage)
      this.#send({ kind: 'faults', job: this.#job, faults: faults.slice(from, from + faultsInMessage) });
  }

  #sendSummary(): void {
    const { items, lanes, bytes, faults } = this.#reader;
    const sha256 = new Uint8Array(this.#hash.digest());
    const summary = { items, lanes, sha256, bytes, faultTotal: faults.total, faultCounts: faults.counts };
    this.#send({ kind: 'done', job: this.#job, summary });
  }

  #send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

function listen(port: MessagePort): void {
  let job: Job | undefined;
  let number = 0;
  port.on('message', (message: ToWorker) => {
    try {
      if (message.kind === 'open') {
        number = message.job;
        job = new Job(port, message);
      } else if (message.job !== number) return;
      else if (message.kind === 'chunk') job?.chunk(message.buffer, message.length);
      else if (message.kind === 'end') job?.end();
      else if (message.kind === 'taken') job?.taken();
      else job = undefined;
    } catch (error) {
      job = undefined;
      port.postMessage({ kind: 'failed', job: number, message: messageOf(error) } satisfies FromWorker);
    }
  });
}

if (parentPort) listen(parentPort);
