/** `fairway submit FILE`: sends a batch, as a whole or in parts, until its verdict is known, and prints that. */
import { randomUUID } from 'node:crypto';
import { FairwayError } from '../errors.js';
import { serviceOf, type ServiceFlags } from './ask-service.js';
import type { Service } from './client.js';
import type { Context } from './context.js';
import { wholeNumber } from './numbers.js';
import type { Format } from './submit/format.js';
import { cuttable, isLarge, type Cuttable } from './submit/parts/parts.js';
import { PartsProgress } from './submit/parts/progress.js';
import { submitInParts, type Outcome } from './submit/parts/upload.js';
import { uploadProgress } from './submit/progress.js';
import { isTransient } from './submit/retry.js';
import { openSource, type Source } from './submit/source.js';
import { faultsShown, printVerdict } from './submit/verdict.js';
import { submitWhole } from './submit/whole.js';

export interface SubmitFlags extends ServiceFlags {
  key?: string;
  replace?: string;
  dryRun?: boolean;
  items?: string;
  format?: Format;
  whole?: boolean;
  streams: string;
  patience: string;
  all?: boolean;
}

export async function runSubmit(context: Context, path: string, flags: SubmitFlags): Promise<void> {
  const { stderr } = context;
  const service = serviceOf(context, flags);
  const submission = submissionOf(flags);
  const source = await openSource(path, flags.format);
  const session = new Session(context, service, source, submission);
  const stopWatching = onInterrupt(() => {
    session.clear();
    const { again } = session;
    stderr.write(`fairway: interrupted; the verdict is not known${again ? `, ${again}` : ''}\n`);
  });
  try {
    const outcome = await session.run();
    session.clear();
    await printVerdict(context, service, { source, flags, ...outcome });
  } catch (error) {
    session.clear();
    const { again } = session;
    throw isTransient(error) && again ? withHint(error, again) : error;
  } finally {
    stopWatching();
    await source.close();
  }
}

interface Submission {
  key: string | undefined;
  replaces: string | undefined;
  items: number | undefined;
  dryRun: boolean;
  whole: boolean;
  streams: number;
  faultsKept: number;
  patienceMilliseconds: number;
}

/** Throws `usage`. */
function submissionOf(flags: SubmitFlags): Submission {
  const { key, replace, items, patience, streams, dryRun = false, whole = false, all } = flags;
  if (key !== undefined && !/^[!-~]([ -~]{0,198}[!-~])?$/.test(key))
    throw new FairwayError('usage', '--key: at most 200 plain characters, with no space at either end');
  return {
    key,
    replaces: replace === undefined ? undefined : String(wholeNumber('--replace', replace, 1, 1e12)),
    items: items === undefined ? undefined : wholeNumber('--items', items, 0, 999_999_999_999),
    dryRun,
    whole,
    streams: wholeNumber('--streams', streams, 1, 16),
    faultsKept: all === true ? Infinity : faultsShown,
    patienceMilliseconds: wholeNumber('--patience', patience, 0, 86_400) * 1_000,
  };
}

class Session {
  /** What to say that the verdict can still be had by; undefined where nothing has been sent yet. */
  again: string | undefined;
  readonly #context: Context;
  readonly #service: Service;
  readonly #source: Source;
  readonly #submission: Submission;
  #progress: { clear(): void } | undefined;

  constructor(context: Context, service: Service, source: Source, submission: Submission) {
    this.#context = context;
    this.#service = service;
    this.#source = source;
    this.#submission = submission;
  }

  /** The line of progress goes. */
  clear(): void {
    this.#progress?.clear();
  }

  async run(): Promise<Exclude<Outcome, { whole: string }>> {
    const { key, whole, dryRun } = this.#submission;
    const how = whole || dryRun || !isLarge(this.#source) ? undefined : cuttable(this.#source);
    const outcome = how ? await this.#inParts(how) : { whole: undefined };
    return 'whole' in outcome ? this.#whole(outcome.whole ?? key) : outcome;
  }

  #inParts(how: Cuttable): Promise<Outcome> {
    const progress = new PartsProgress(this.#context, this.#source);
    this.#progress = progress;
    const { stderr } = this.#context;
    const say = (words: string): void => {
      progress.clear();
      stderr.write(`fairway: ${words}\n`);
    };
    const job = {
      ...this.#submission,
      service: this.#service,
      source: this.#source,
      progress,
      say,
      resumes: (words: string) => (stderr.isTTY ? say(words) : undefined),
      begun: (key: string, remembered: boolean) => {
        const given = this.#submission.key;
        this.again = `'${this.#words(remembered ? given : key)}' goes on where it stopped`;
      },
    };
    return submitInParts(job, how);
  }

  async #whole(known: string | undefined): Promise<Exclude<Outcome, { whole: string }>> {
    const { stderr } = this.#context;
    const { dryRun, replaces, items, patienceMilliseconds } = this.#submission;
    const key = dryRun ? undefined : (known ?? randomUUID());
    this.again = key === undefined ? undefined : `'${this.#words(key)}' asks for it`;
    if (known === undefined && key !== undefined && stderr.isTTY) stderr.write(`key ${key}\n`);
    const progress = uploadProgress(this.#context, this.#source);
    this.#progress = progress;
    const query = new URLSearchParams({
      ...(dryRun ? { dry_run: 'true' } : {}),
      ...(replaces === undefined ? {} : { replaces }),
    });
    const answer = await submitWhole({
      service: this.#service,
      source: this.#source,
      path: query.size === 0 ? '/batches' : `/batches?${query.toString()}`,
      headers: {
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(items === undefined ? {} : { 'fairway-items': String(items) }),
      },
      patienceMilliseconds,
      progress,
    });
    return { answer, repeated: answer.status === 200 };
  }

  #words(key: string | undefined): string {
    const { replaces } = this.#submission;
    const flags = [
      key === undefined ? '' : ` --key ${key}`,
      replaces === undefined ? '' : ` --replace ${replaces}`,
    ];
    return `fairway submit ${this.#source.path}${flags.join('')}`;
  }
}

const withHint = (error: FairwayError, again: string): FairwayError =>
  new FairwayError(error.code, `${error.message}\nthe verdict is not known; ${again}`, { cause: error });

/** Ends with 130 after `words`, until stopped. */
function onInterrupt(words: () => void): () => void {
  const interrupted = (): void => {
    words();
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupted);
  return () => {
    for (const signal of signals) process.off(signal, interrupted);
  };
}
