/**
 * Loading: in go packed parts as they are read, out go their segments, hidden, a part a transaction. The newest part
 * is held back: the last one of a batch is loaded in the transaction that publishes it, so a batch of one part never
 * has anything hidden.
 */
import type { ClientBase } from 'pg';
import { settled } from '../../database/settle.js';
import type { Pace } from '../../pace.js';
import { loadSegments } from '../load.js';
import type { Segment } from '../pack.js';
import type { UploadPart } from '../parse/upload.js';
import { laneIds } from '../sql.js';
import { takenOver, type Claim, type UploadContext } from './context.js';
import { attemptNow, insertPart, limitLockWaits, shareBatch, type PartRow } from './sql.js';

export interface HeldPart extends PartRow {
  /** Gone through again where a transaction was lost. */
  segments: Iterable<Segment>;
  laneIds: readonly number[];
}

export class PartLoader {
  readonly #context: UploadContext;
  readonly #claim: Claim;
  readonly #laneIds: number[] = [];
  #parts = 0;
  #held: HeldPart | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(context: UploadContext, claim: Claim) {
    this.#context = context;
    this.#claim = claim;
  }

  /**
   * Resolves when the next part may come: this one is held, the one before it is being loaded. Throws
   * `disk_nearly_full`.
   */
  async add({ lanes, ...part }: UploadPart): Promise<void> {
    await this.#context.disk.check();
    await this.#context.reach?.('part read');
    await this.#loading;
    const before = this.#held;
    this.#held = { ...part, part: this.#parts++, laneIds: this.#laneIds };
    for (const id of await laneIdsOf(this.#context, lanes)) this.#laneIds.push(id);
    if (!before) return;
    this.#loading = loadPart(this.#context, this.#claim, before);
    // Whoever waits for it next hears of it.
    this.#loading.catch(() => undefined);
  }

  /** Waits for what is being loaded; the last part is left to whoever publishes. */
  async finish(): Promise<HeldPart | undefined> {
    await this.#loading;
    return this.#held;
  }

  /** Waits until nothing is being loaded, however that ended. */
  async stop(): Promise<void> {
    await this.#loading.catch(() => undefined);
  }
}

/**
 * In a transaction of its own: two loaders that meet the same new lanes wait for each other for a moment, not until
 * the end of a part. An import may hold some for longer.
 */
export const laneIdsOf = async (
  { database, limits }: UploadContext,
  lanes: UploadPart['lanes'],
): Promise<number[]> => {
  if (lanes.length === 0) return [];
  const origins = lanes.map((lane) => lane.origin);
  const destinations = lanes.map((lane) => lane.destination);
  return settled(database, (client) => laneIds(client, origins, destinations), limits.patience);
};

const loadPart = async (
  { database, limits, pace, reach }: UploadContext,
  claim: Claim,
  part: HeldPart,
): Promise<void> => {
  await settled(
    database,
    async (client) => {
      await limitLockWaits(client);
      if (!(await shareBatch(client, claim.batch))) throw takenOver();
      const now = await attemptNow(client, claim.attempt);
      // A part that comes after publishing must not reach a batch that is visible.
      if (now?.state !== 'loading' || now.published !== null) throw takenOver();
      await reach?.('part loading');
      await copyPart(client, claim, part, pace);
    },
    limits.patience,
  );
  await reach?.('part loaded');
};

/** Copies a part unless it is there already. The batch must be locked, and the attempt the one that loads. */
export async function copyPart(
  client: ClientBase,
  { attempt }: Claim,
  held: HeldPart,
  pace?: Pace,
): Promise<void> {
  const { part, segments, laneIds } = held;
  if (!(await insertPart(client, attempt, held))) return;
  await loadSegments(client, { attempt, part }, segments, laneIds, pace);
}
