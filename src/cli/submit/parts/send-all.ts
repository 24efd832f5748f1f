/**
 * All parts of a file sent, several at a time: in go the file and what arrived before, out comes what arrived now. A
 * stream that the service has no room for ends, unless it is the last, and leaves its part to the others.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayError } from '../../../errors.js';
import { plural } from '../../batch-texts.js';
import { duration } from '../progress.js';
import { untilVerdict } from '../retry.js';
import { digestField, sendPart, type ArrivedPart } from './conversation.js';
import { NotInParts, type PartRange } from './cutter.js';
import type { RejectedPart } from './faults.js';
import { Parts, type Cuttable, type Part } from './parts.js';
import type { PartsJob } from './upload.js';

export interface SentParts {
  count: number;
  /** Of the parts that were taken. */
  items: number;
  rejected: RejectedPart[];
  /** The last one. */
  last: PartRange;
  /** Numbers that arrived before and are not of this file. */
  unexpected: number;
}

export interface Receiver {
  batch: string;
  /** False once it is published: then all must be there. */
  open: boolean;
  arrived: ReadonlyMap<number, ArrivedPart>;
}

/** Throws `NotInParts`, or what ends one of the streams: then the others end, too. */
export async function sendAll(job: PartsJob, how: Cuttable, receiver: Receiver): Promise<SentParts> {
  const parts = new Parts(job.source, how, job.sizes);
  const stop = new AbortController();
  // A request and a pause each listen.
  setMaxListeners(2 * job.streams, stop.signal);
  const sent = new Sending(job.faultsKept);
  const refused: Part[] = [];
  let going = job.streams;
  // What is looked at and what follows from it must not lie apart, or the last two would both leave.
  const next = async (): Promise<Part | undefined> => {
    const part = refused.shift() ?? (await parts.next()) ?? refused.shift();
    if (!part) going--;
    return part;
  };
  const leaves = (): boolean => going > 1 && going-- > 1;
  const stream = async (): Promise<void> => {
    for (let part = await next(); part && !stop.signal.aborted; part = await next()) {
      const earlier = receiver.arrived.get(part.number);
      const known = earlier?.digest === digestField(part.digest) ? earlier : undefined;
      const verdict =
        known ?? (await sendUntilVerdict(job, how, { receiver, part, signal: stop.signal, leaves }));
      if (verdict === 'left to others') {
        refused.push(part);
        job.progress.say(`the service is busy; going on with ${plural(going, 'stream')}`);
        return;
      }
      sent.take(part, verdict);
      job.progress.arrived(part, known !== undefined);
    }
  };
  const streams = Array.from({ length: job.streams }, stream);
  try {
    await Promise.all(streams);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(streams);
    throw error;
  } finally {
    await parts.close();
  }
  return sent.result(receiver.arrived);
}

/** What became of the parts so far. */
class Sending {
  readonly #faultsKept: number;
  #count = 0;
  #items = 0;
  #rejected: RejectedPart[] = [];
  #last: PartRange | undefined;

  constructor(faultsKept: number) {
    this.#faultsKept = faultsKept;
  }

  take({ number, from, to, declared }: Part, verdict: ArrivedPart | Omit<RejectedPart, 'range'>): void {
    const range = { number, from, to, ...(declared === undefined ? {} : { declared }) };
    this.#count++;
    if (number >= (this.#last?.number ?? 0)) this.#last = range;
    if ('items' in verdict) this.#items += verdict.items;
    else this.#reject({ range, ...verdict });
  }

  /** Of faults only those that will be shown are kept; all stay counted. */
  #reject({ range, errors, error_counts, error_total }: RejectedPart): void {
    this.#rejected.push({ range, errors, error_counts, error_total });
    this.#rejected.sort((a, b) => a.range.number - b.range.number);
    let room = this.#faultsKept;
    for (const part of this.#rejected) {
      part.errors = part.errors.slice(0, room);
      room -= part.errors.length;
    }
  }

  result(arrived: ReadonlyMap<number, unknown>): SentParts {
    const last = this.#last ?? { number: 0, from: 0, to: 0 };
    const unexpected = [...arrived.keys()].filter((number) => number > this.#count).length;
    return { count: this.#count, items: this.#items, rejected: this.#rejected, last, unexpected };
  }
}

interface OnePart {
  receiver: Receiver;
  part: Part;
  signal: AbortSignal;
  /** Asked where the service has no room: whether the stream ends. */
  leaves: () => boolean;
}

function sendUntilVerdict(job: PartsJob, { format }: Cuttable, { receiver, part, signal, leaves }: OnePart) {
  const { service, progress, patienceMilliseconds } = job;
  const { batch } = receiver;
  if (!receiver.open)
    throw new FairwayError(
      'key_conflict',
      `this key belongs to batch ${batch}, which has other content; take a new key`,
    );
  const retrying = {
    patienceMilliseconds,
    sent: () => progress.through(part),
    now: () => performance.now(),
    delay: (milliseconds: number) => delay(milliseconds, undefined, { signal }),
    random: Math.random,
    onFailure: ({ message }: FairwayError, wait: number) =>
      progress.say(`part ${part.number}: trying again in ${duration(wait / 1_000)}: ${message}`),
  };
  return untilVerdict(retrying, async ({ silenceMilliseconds }) => {
    signal.throwIfAborted();
    const onBytes = progress.begin(part);
    try {
      return await sendPart(service, { batch, format }, part, { silenceMilliseconds, signal, onBytes });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === 'overloaded' && leaves()) return 'left to others' as const;
      if (code === 'request_too_large') throw new NotInParts('the service takes smaller parts');
      if (code === 'digest_mismatch' && !(await part.unchanged()))
        throw new FairwayError(
          'file_unreadable',
          `${job.source.path} was changed while it was sent; send it again`,
        );
      throw error;
    }
  });
}
