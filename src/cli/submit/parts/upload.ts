/**
 * A large file sent in parts, as one reads it: remember, open, send what is not there yet, publish or give up. Whenever it
 * is cut off, the same again goes on where it stopped.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayError } from '../../../errors.js';
import { plural, type BatchAnswer } from '../../batch-texts.js';
import type { Answer, Service } from '../../client.js';
import { duration } from '../progress.js';
import { untilVerdict, type Try } from '../retry.js';
import type { Source } from '../source.js';
import { arrivedParts, giveUp, open, publish } from './conversation.js';
import { NotInParts, type CutSizes } from './cutter.js';
import { countDiffers, linesBefore, problemOf, rejectionOf } from './faults.js';
import { fingerprint, Memory, type Remembered } from './memory.js';
import type { Cuttable } from './parts.js';
import type { PartsProgress } from './progress.js';
import { sendAll, type SentParts } from './send-all.js';

export interface PartsJob {
  service: Service;
  source: Source;
  /** The Idempotency-Key, where one was given. */
  key: string | undefined;
  replaces: string | undefined;
  /** Items there must be. */
  items: number | undefined;
  streams: number;
  faultsKept: number;
  patienceMilliseconds: number;
  progress: PartsProgress;
  sizes?: CutSizes;
  /** Told what is out of the ordinary; `resumes` only that an upload goes on. */
  say: (words: string) => void;
  resumes: (words: string) => void;
  /** Told as soon as the same command would go on: under this key, or without one where it is remembered. */
  begun: (key: string, remembered: boolean) => void;
}

export type Outcome =
  | { answer: Answer; repeated: boolean }
  /** It is to be sent as a whole, under this key. */
  | { whole: string };

/** Throws what is no verdict. */
export async function submitInParts(job: PartsJob, how: Cuttable): Promise<Outcome> {
  const { source } = job;
  // Of a copy of standard input there is nothing to come back to.
  const memory = source.changed === undefined ? undefined : new Memory(source.path, job.say);
  const found = await memory?.read();
  const kept = found && (await stillTheSame(job, found)) ? found : undefined;
  const upload = new Upload(job, how, memory, kept?.key ?? job.key ?? randomUUID());
  const outcome = await upload.run(kept?.batch);
  await memory?.forget();
  return outcome;
}

/** Whether what was begun can be gone on with; otherwise it is given up. */
async function stillTheSame(job: PartsJob, found: Remembered): Promise<boolean> {
  const { service, source, key, replaces } = job;
  const now = fingerprint(source);
  const sameFile = JSON.stringify(now) === JSON.stringify(found.file);
  const sameWords =
    found.url === service.url && found.replaces === replaces && (key ?? found.key) === found.key;
  if (sameFile && sameWords) return true;
  const why = sameFile ? 'the command is another' : `${source.name} has changed`;
  job.say(`${why} since the upload that was cut off; it begins anew`);
  if (found.batch !== undefined && found.url === service.url) await abandon(job, found.batch);
  return false;
}

class Upload {
  readonly #job: PartsJob;
  readonly #how: Cuttable;
  readonly #memory: Memory | undefined;
  readonly #key: string;

  constructor(job: PartsJob, how: Cuttable, memory: Memory | undefined, key: string) {
    this.#job = job;
    this.#how = how;
    this.#memory = memory;
    this.#key = key;
  }

  /** `known`: the batch that was begun. */
  async run(known: string | undefined): Promise<Outcome> {
    // Before anything is sent: what is opened must be found again.
    await this.#remember(known);
    this.#job.begun(this.#key, this.#memory !== undefined);
    for (let tries = 1; ; tries++) {
      const opened = await this.#open();
      if (!opened) return { whole: this.#key };
      const { batch, isNew } = opened;
      await this.#remember(batch.id);
      if (tries === 1 && known !== undefined && (isNew || known !== batch.id))
        this.#job.say(`batch ${known} is no longer there; it begins anew`);
      const outcome = await this.#loadOrGiveUp(batch, isNew);
      if (outcome) return outcome;
      if (tries > 1)
        throw new FairwayError(
          'batch_state',
          `batch ${batch.id} has parts of another file; take another key`,
        );
    }
  }

  async #loadOrGiveUp(batch: BatchAnswer, isNew: boolean): Promise<Outcome | undefined> {
    try {
      return await this.#load(batch, isNew);
    } catch (error) {
      const whole = error instanceof NotInParts;
      const unusable = error instanceof FairwayError && error.code === 'body_unreadable';
      if (!whole && !unusable) throw error;
      await abandon(this.#job, batch.id);
      if (whole) {
        this.#job.say(`${this.#job.source.name} goes as a whole: ${error.message}`);
        return { whole: this.#key };
      }
      await this.#memory?.forget();
      throw error;
    }
  }

  /** Undefined where the batch has parts of another file, and was given up for that. */
  async #load(batch: BatchAnswer, isNew: boolean): Promise<Outcome | undefined> {
    const job = this.#job;
    const isOpen = batch.state === 'loading';
    const arrived = isNew
      ? new Map<never, never>()
      : await patiently(job, () => arrivedParts(job.service, batch.id));
    if (arrived.size > 0 && isOpen)
      job.resumes(`resuming batch ${batch.id}, which has ${plural(arrived.size, 'part')} already`);
    const sent = await sendAll(job, this.#how, { batch: batch.id, open: isOpen, arrived });
    const rejection = await rejectionBy(job, this.#how, sent);
    if (rejection || sent.unexpected > 0) await abandon(job, batch.id);
    if (rejection) return { answer: { status: 422, headers: {}, json: rejection }, repeated: false };
    if (sent.unexpected > 0) return undefined;
    job.progress.say('all sent; publishing');
    const stated = { parts: sent.count, items: sent.items };
    const answer = await patiently(job, (limits) => publish(job.service, batch.id, stated, limits));
    return { answer, repeated: !isOpen };
  }

  async #open(): Promise<{ batch: BatchAnswer; isNew: boolean } | undefined> {
    const { service, replaces } = this.#job;
    try {
      return await patiently(this.#job, (limits) =>
        open(service, { key: this.#key, format: this.#how.format, replaces }, limits),
      );
    } catch (error) {
      // Whether it is what was sent in one request, that request's repeat tells.
      if (error instanceof FairwayError && error.code === 'key_conflict') return undefined;
      throw error;
    }
  }

  async #remember(batch: string | undefined): Promise<void> {
    const { service, replaces, source } = this.#job;
    await this.#memory?.write({
      key: this.#key,
      ...(batch === undefined ? {} : { batch }),
      url: service.url,
      ...(replaces === undefined ? {} : { replaces }),
      file: fingerprint(source),
    });
  }
}

/** What is wrong with the whole file, as the service would answer it; undefined where nothing is. */
async function rejectionBy({ source, items, faultsKept }: PartsJob, { format }: Cuttable, sent: SentParts) {
  const { rejected, last } = sent;
  // What came is only known where all parts were taken.
  const differs = (declared: number | undefined): declared is number =>
    rejected.length === 0 && declared !== undefined && declared !== sent.items;
  const [byTrailer, byFlag] = [differs(last.declared), differs(items)];
  if (rejected.length === 0 && !byTrailer && !byFlag) return undefined;
  const places = [...rejected.map(({ range }) => range.from), last.to, Infinity];
  const lines = await linesBefore(
    source.unpacked(),
    places.slice(0, byFlag ? undefined : byTrailer ? -1 : -2),
  );
  const rejection = rejectionOf(rejected, lines, format === 'csv' ? 1 : 0, faultsKept);
  const [trailerLine = 0, lastLine = 0] = lines.slice(rejected.length);
  for (const [declared, line] of [
    [last.declared, trailerLine + 1],
    [items, lastLine + 1],
  ] as const) {
    if (!differs(declared)) continue;
    rejection.errors.push(countDiffers(declared, sent.items, line));
    rejection.error_counts['count_differs'] = ++rejection.error_total;
  }
  return problemOf(rejection);
}

/** Where it cannot be given up now, it expires by itself: the verdict matters more. */
async function abandon(job: PartsJob, batch: string): Promise<void> {
  const patienceMilliseconds = Math.min(job.patienceMilliseconds, abandoningMilliseconds);
  await patiently({ ...job, patienceMilliseconds }, () => giveUp(job.service, batch)).catch(
    (error: unknown) => {
      if (!(error instanceof FairwayError)) throw error;
      if (error.code === 'batch_state') job.say(`batch ${batch} stays as it is: ${error.message}`);
      else if (error.code !== 'batch_unknown')
        job.say(`batch ${batch} could not be given up, and will expire: ${error.message}`);
    },
  );
}

const abandoningMilliseconds = 30_000;

function patiently<Result>(
  { patienceMilliseconds, progress }: PartsJob,
  attempt: (limits: Try) => Promise<Result>,
): Promise<Result> {
  const onFailure = ({ message }: FairwayError, wait: number): void =>
    progress.say(`trying again in ${duration(wait / 1_000)}: ${message}`);
  const { random } = Math;
  const now = (): number => performance.now();
  return untilVerdict({ patienceMilliseconds, sent: () => 0, now, delay, random, onFailure }, attempt);
}
