/** A batch in parts, as one reads it: open, store part by part, list, publish or give up. */
import type { Database, ReadOptions } from '../database/database.js';
import type { PartOutcome } from '../events.js';
import { readBatch, type Batch } from './batches/read.js';
import type { UploadResult } from './parse/upload.js';
import {
  asStoredPart,
  notInParts,
  type Opening,
  type PartUpload,
  type StoredPart,
} from './parted/context.js';
import { giveUpParted } from './parted/give-up.js';
import { openParted } from './parted/open.js';
import { publishParted, type Stated } from './parted/publish.js';
import {
  allParts,
  partedNow,
  partsAfter,
  type AllParts,
  type PartedNow,
  type StoredPartRow,
} from './parted/sql.js';
import { keepPart, readPart, storePart, type Kept } from './parted/store.js';
import type { Caller, UploadContext } from './upload/context.js';
import type { Slots } from './upload/slots.js';
import { verdictEvent } from './upload/verdict-event.js';

type Bytes = AsyncIterable<Uint8Array>;

/** A part that is stored, or the faults for which it is not. */
export type PartVerdict = Kept | { faulty: UploadResult };

export class PartedBatches {
  readonly #context: UploadContext;
  readonly #loads: Slots;
  readonly #tracked: <Result>(work: Promise<Result>) => Promise<Result>;

  /** `loads` is shared with uploads in one request; `tracked` is told of what is under way. */
  constructor(
    context: UploadContext,
    loads: Slots,
    tracked: <Result>(work: Promise<Result>) => Promise<Result>,
  ) {
    this.#context = context;
    this.#loads = loads;
    this.#tracked = tracked;
  }

  /** Throws `key_conflict`, `in_progress`, `batch_unknown`, `batch_state`. */
  async open(opening: Opening): Promise<{ batch: Batch; repeated: boolean }> {
    const { batch, repeated } = await this.#tracked(openParted(this.#context, opening));
    await this.#context.reach?.('opened');
    return { batch: await this.#batch(batch, opening.caller), repeated };
  }

  /**
   * Takes a part. Throws `digest_mismatch`, `batch_unknown`, `batch_state`, `overloaded`, `request_timeout`,
   * `request_too_large`, `body_unreadable`, `outcome_unknown`.
   */
  put(upload: PartUpload, source: Bytes): Promise<PartVerdict> {
    return this.#tracked(this.#observed(upload, () => this.#put(upload, source)));
  }

  async #put(upload: PartUpload, source: Bytes): Promise<PartVerdict> {
    const kept = await keepPart(this.#context, upload);
    if (kept) return kept;
    return this.#loads.use(async () => {
      const read = await readPart(this.#context, upload, source);
      return read.result.faultTotal > 0 ? { faulty: read.result } : storePart(this.#context, upload, read);
    });
  }

  /** Publishes. Throws `parts_incomplete`, `batch_unknown`, `batch_state`, `outcome_unknown`, `rollups_behind`. */
  async publish(id: string, caller: Caller, stated: Stated): Promise<Batch> {
    const { id: batch, state } = await this.#batch(id, caller);
    if (state === 'loading') await this.#context.debt?.admit();
    const now = await this.#tracked(publishParted(this.#context, batch, stated));
    await this.#context.reach?.('answering');
    const published = await this.#batch(batch, caller);
    if (now) this.#context.emit(verdictEvent(published, Date.now() - published.receivedAt.getTime()));
    return published;
  }

  /** Throws `batch_state` or `batch_unknown` where it no longer takes parts. */
  giveUp(batch: string): Promise<void> {
    return this.#tracked(giveUpParted(this.#context, batch));
  }

  #batch(id: string, caller: Caller): Promise<Batch> {
    return readBatch(this.#context.database, id, caller);
  }

  async #observed({ batch, part }: PartUpload, work: () => Promise<PartVerdict>): Promise<PartVerdict> {
    const { emit } = this.#context;
    const begun = performance.now();
    let outcome: PartOutcome = 'failed';
    emit({ kind: 'part-begun' });
    try {
      const verdict = await work();
      const milliseconds = performance.now() - begun;
      if ('faulty' in verdict) {
        outcome = 'rejected';
        emit({ kind: 'part-rejected', batch, part, errors: verdict.faulty.faultTotal, milliseconds });
      } else if (verdict.repeated) outcome = 'repeated';
      else {
        outcome = 'stored';
        const { items, bytes } = verdict.part;
        emit({ kind: 'part-stored', batch, part, items, bytes, milliseconds });
      }
      return verdict;
    } finally {
      emit({ kind: 'part-ended', outcome });
    }
  }
}

/** Parts in their order, from the one after `after` on, and the items of all of them. Throws `batch_unknown`, `batch_state`. */
export async function listParts(
  database: Database,
  id: string,
  caller: Caller,
  { after, limit }: { after: string; limit: number },
  options: ReadOptions = {},
): Promise<{ parts: StoredPart[]; items: number; more: boolean }> {
  const { id: batch, parts: inParts } = await readBatch(database, id, caller, options);
  if (!inParts) throw notInParts(batch);
  const [now] = await database.read<PartedNow>(partedNow(batch), options);
  if (!now?.attempt) return { parts: [], items: 0, more: false };
  const rows = await database.read<StoredPartRow>(partsAfter(now.attempt, after, limit + 1), options);
  const [all] = await database.read<AllParts>(allParts(now.attempt), options);
  return {
    parts: rows.slice(0, limit).map(asStoredPart),
    items: Number(all?.items ?? 0),
    more: rows.length > limit,
  };
}
