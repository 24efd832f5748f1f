/**
 * An upload from its first byte to its verdict, as one reads it: open, receive and parse, load, publish or reject; or
 * find the verdict that its key has already. In go the bytes of the wire, out comes the batch.
 */
import type { ReadOptions } from '../database/database.js';
import { isOutcomeUnknown } from '../database/failures.js';
import type { UploadOutcome } from '../events.js';
import { readBatch, type Batch } from './batches/read.js';
import type { KnownPort, UploadResult } from './parse/upload.js';
import { PartedBatches } from './parted.js';
import { readBody } from './upload/body.js';
import {
  takenOver,
  type Claim,
  type Upload,
  type UploadContext,
  type UploadLimits,
} from './upload/context.js';
import { abandonUpload, publishUpload, rejectUpload } from './upload/finish.js';
import { keepLease } from './upload/lease.js';
import { checkReplaces, openUpload, takenBatch } from './upload/open.js';
import { PartLoader } from './upload/parts.js';
import { replay } from './upload/replay.js';
import { Slots } from './upload/slots.js';
import { portsNow, sameContent } from './upload/sql.js';
import { Touched } from './upload/touched.js';
import { verdictEvent } from './upload/verdict-event.js';

type Bytes = AsyncIterable<Uint8Array>;

export interface Verdict {
  batch: Batch;
  /** Whether an earlier try had it already. */
  repeated: boolean;
  /** Batches of the same content, published in the day before. */
  sameContent: string[];
}

/** What a batch would be; `read` has its faults. */
export interface Checked {
  read: UploadResult;
  touched: Touched;
}

/** Repeats are only hashed: so many for each load. */
const repeatsPerLoad = 8;

export class Uploads {
  /** Batches in parts; a part takes the slot of a load. */
  readonly parted: PartedBatches;
  readonly #context: UploadContext;
  readonly #loads: Slots;
  readonly #repeats: Slots;
  readonly #running = new Set<Promise<unknown>>();

  constructor(context: UploadContext) {
    const { uploads, admissionMilliseconds } = context.limits;
    this.#context = context;
    this.#loads = new Slots(uploads, admissionMilliseconds);
    this.#repeats = new Slots(uploads * repeatsPerLoad, admissionMilliseconds);
    this.parted = new PartedBatches(context, this.#loads, (work) => this.#tracked(work));
  }

  /**
   * Takes a batch. A rejected one is no error: its state says so. Throws `overloaded`, `in_progress`, `key_conflict`,
   * `batch_unknown`, `batch_state`, `request_timeout`, `request_too_large`, `body_unreadable`, `outcome_unknown`,
   * `disk_nearly_full`, `rollups_behind`.
   */
  take(upload: Upload, source: Bytes): Promise<Verdict> {
    return this.#tracked(
      this.#observed(async () => {
        const result = await this.#take(upload, source);
        const { batch, repeated } = result;
        const outcome = repeated ? 'repeated' : batch.state === 'rejected' ? 'rejected' : 'published';
        return { outcome, result };
      }),
    );
  }

  /** What would become of a batch, and what it touches; nothing is published or kept. Throws as `take` does. */
  check(upload: Upload, source: Bytes): Promise<Checked> {
    return this.#tracked(
      this.#observed(() =>
        this.#loads.use(async () => {
          await checkReplaces(this.#context, upload);
          const body = readBody(source, upload.encoding, this.#context.limits);
          const touched = new Touched();
          const read = await this.#context.read(body, await this.#readOptions(upload), async (part) => {
            touched.add(part);
          });
          return { outcome: 'checked', result: { read, touched } };
        }),
      ),
    );
  }

  /** What bodies are held to. */
  get limits(): UploadLimits {
    return this.#context.limits;
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #take(upload: Upload, source: Bytes): Promise<Verdict> {
    const body = readBody(source, upload.encoding, this.#context.limits);
    const known = (await takenBatch(this.#context, upload)) ?? (await this.#load(upload, body));
    if (typeof known !== 'string') return known;
    await this.#repeats.use(() => replay(this.#context, upload, known, body));
    return { batch: await this.#batch(known), repeated: true, sameContent: [] };
  }

  /** The verdict, or the id of a batch that has it or will have it from somebody else. */
  async #load(upload: Upload, body: Bytes): Promise<Verdict | string> {
    const { disk, debt } = this.#context;
    // Without a slot, which others could use; and again with one, for it may have taken a while to come.
    await debt?.admit();
    return this.#loads.use(async () => {
      await debt?.admit();
      await disk.check();
      const opened = await openUpload(this.#context, upload);
      return 'known' in opened ? opened.known : this.#loadClaimed(upload, opened.claim, body);
    });
  }

  async #loadClaimed(upload: Upload, claim: Claim, body: Bytes): Promise<Verdict> {
    const context = this.#context;
    const { reach } = context;
    const begun = performance.now();
    const lease = keepLease(context, claim);
    const loader = new PartLoader(context, claim);
    try {
      await reach?.('opened');
      await checkReplaces(context, upload, claim);
      await reach?.('reading');
      const read = await context.read(
        body,
        await this.#readOptions(upload),
        (part) => loader.add(part),
        lease.signal,
      );
      await reach?.('read');
      const last = await loader.finish();
      if (claim.final && claim.rejected?.equals(read.sha256)) {
        await abandonUpload(context, claim, 'the content is the one that was rejected');
        return { batch: await this.#batch(claim.batch), repeated: true, sameContent: [] };
      }
      if (read.faultTotal > 0) await rejectUpload(context, upload, claim, read);
      else await publishUpload(context, upload, claim, read, last);
    } catch (error) {
      await loader.stop();
      // A batch whose COMMIT may have gone through is left to whoever repeats the key, or to the collector.
      if (!isOutcomeUnknown(error)) await abandonUpload(context, claim, error);
      throw lease.signal.aborted && !isOutcomeUnknown(error) ? takenOver() : error;
    } finally {
      lease.stop();
    }
    return this.#verdict(upload, claim, begun);
  }

  async #verdict({ key }: Upload, { batch }: Claim, begun: number): Promise<Verdict> {
    await this.#context.reach?.('answering');
    const published = await this.#batch(batch);
    this.#context.emit(verdictEvent(published, performance.now() - begun));
    const same =
      key === null && published.state === 'published'
        ? await this.#context.database.read<{ id: string }>(sameContent(batch))
        : [];
    return { batch: published, repeated: false, sameContent: same.map(({ id }) => id) };
  }

  async #readOptions({ format, declaredItems }: Upload) {
    const { database, pace } = this.#context;
    const ports = await database.read<KnownPort>(portsNow);
    return {
      format,
      ports,
      ...(declaredItems === undefined ? {} : { declaredItems }),
      ...(pace ? { pace: pace.shared } : {}),
    };
  }

  #batch(id: string, options: ReadOptions = {}): Promise<Batch> {
    return readBatch(this.#context.database, id, { key: null, all: true }, options);
  }

  #tracked<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running);
    const done = (): unknown => this.#running.delete(running);
    running.then(done, done);
    return running;
  }

  async #observed<Result>(work: () => Promise<{ outcome: UploadOutcome; result: Result }>): Promise<Result> {
    const { emit } = this.#context;
    const begun = performance.now();
    let outcome: UploadOutcome = 'failed';
    emit({ kind: 'upload-begun' });
    try {
      const done = await work();
      outcome = done.outcome;
      return done.result;
    } finally {
      emit({ kind: 'upload-ended', outcome, milliseconds: performance.now() - begun });
    }
  }
}
