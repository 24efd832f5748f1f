/**
 * The thread that reads batches, several in turn: in come chunks of bytes, out go packed parts, faults and the hash. A
 * full part waits until the one before it was taken, and with it the chunk that filled it: that holds up the sender.
 */
import { createHash, type Hash } from 'node:crypto';
import { parentPort, type MessagePort } from 'node:worker_threads';
import { messageOf } from '../../errors.js';
import { PackingSpace, PartPacker, partCapacity } from '../pack.js';
import type { FromWorker, Opening, ToWorker } from './messages.js';
import { gatherSegments } from './part-transfer.js';
import { Rests } from './rests.js';
import { UploadReader } from './upload-reader.js';

/** Faults in one message: what the other thread takes in without holding up its event loop. */
const faultsInMessage = 1_000;

/** One for all batches of this thread: its arrays are large. */
const space = new PackingSpace();
/** Batches that are being read. */
const jobs = new Set<Job>();

/** Those that are read at once share what one would have to itself, so memory does not grow with their number. */
const partItems = (): number => Math.ceil(partCapacity / jobs.size);

class Job {
  readonly #port: MessagePort;
  readonly #packer = new PartPacker(space);
  readonly #reader: UploadReader;
  readonly #hash: Hash = createHash('sha256');
  readonly #rests: Rests;
  #lanesSent = 0;
  /** A part was sent and not yet taken. */
  #partUnderWay = false;
  #ended = false;
  /** Chunks that are read but not yet given back. */
  readonly #heldBack: ArrayBuffer[] = [];

  constructor({ port, options }: Opening) {
    this.#port = port;
    this.#rests = new Rests(options.pace);
    this.#reader = new UploadReader(options, {
      item: (lane, day, price) => this.#packer.add(lane, day, price),
    });
    jobs.add(this);
    port.on('message', (message: ToWorker) => {
      try {
        if (jobs.has(this)) this.#take(message);
      } catch (error) {
        this.#drop();
        this.#send({ kind: 'failed', message: messageOf(error) });
      }
    });
    port.on('close', () => this.#drop());
  }

  #take(message: ToWorker): void {
    if (message.kind === 'chunk') this.#chunk(message.buffer, message.length);
    else if (message.kind === 'end') this.#end();
    else this.#taken();
  }

  #drop(): void {
    jobs.delete(this);
    this.#packer.clear();
  }

  #chunk(buffer: ArrayBuffer, length: number): void {
    for (const piece of this.#rests.between(new Uint8Array(buffer, 0, length))) {
      this.#hash.update(piece);
      this.#reader.write(piece);
    }
    this.#sendFaults();
    this.#heldBack.push(buffer);
    this.#goOn();
  }

  #end(): void {
    this.#reader.end();
    this.#sendFaults();
    this.#ended = true;
    this.#goOn();
  }

  #taken(): void {
    this.#partUnderWay = false;
    this.#goOn();
  }

  /** Sends a part where there is one to send, then gives chunks back, unless a full part has to wait. */
  #goOn(): void {
    const packer = this.#packer;
    if (this.#reader.faults.total > 0) packer.clear();
    const waiting = this.#ended ? packer.size > 0 : packer.size >= partItems();
    if (waiting && this.#partUnderWay) return;
    if (waiting) this.#sendPart();
    for (const buffer of this.#heldBack.splice(0)) this.#send({ kind: 'read', buffer }, [buffer]);
    if (this.#ended) this.#sendSummary();
  }

  #sendPart(): void {
    const items = this.#packer.size;
    const lanes = [];
    while (this.#lanesSent < this.#reader.lanes) lanes.push(this.#reader.lane(this.#lanesSent++));
    const buffers = gatherSegments(this.#rests.among(this.#packer.drain(this.#lanesSent)), items);
    this.#partUnderWay = true;
    this.#send({ kind: 'part', items, lanes, buffers }, [buffers.index.buffer, buffers.payload]);
  }

  #sendFaults(): void {
    const faults = this.#reader.faults.take();
    for (let from = 0; from < faults.length; from += faultsInMessage)
      this.#send({ kind: 'faults', faults: faults.slice(from, from + faultsInMessage) });
  }

  #sendSummary(): void {
    const { items, lanes, bytes, faults } = this.#reader;
    const sha256 = new Uint8Array(this.#hash.digest());
    const summary = { items, lanes, sha256, bytes, faultTotal: faults.total, faultCounts: faults.counts };
    this.#send({ kind: 'done', summary });
    this.#drop();
  }

  #send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

parentPort?.on('message', (opening: Opening) => {
  try {
    void new Job(opening);
  } catch (error) {
    opening.port.postMessage({ kind: 'failed', message: messageOf(error) } satisfies FromWorker, []);
  }
});
