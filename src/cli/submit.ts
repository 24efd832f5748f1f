/** `fairway submit FILE`: sends a batch, again and again where it must, until its verdict is known, and prints that. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FairwayError } from '../errors.js';
import { serviceOf, type ServiceFlags } from './ask-service.js';
import { errorOf, isGood, send, type Answer, type Service } from './client.js';
import type { Context } from './context.js';
import { wholeNumber } from './numbers.js';
import { mediaTypes, type Format } from './submit/format.js';
import { duration, uploadProgress, type Progress } from './submit/progress.js';
import { isTransient, untilVerdict } from './submit/retry.js';
import { openSource, type Source } from './submit/source.js';
import { printVerdict } from './submit/verdict.js';

export interface SubmitFlags extends ServiceFlags {
  key?: string;
  replace?: string;
  dryRun?: boolean;
  items?: string;
  format?: Format;
  patience: string;
  all?: boolean;
}

export async function runSubmit(context: Context, path: string, flags: SubmitFlags): Promise<void> {
  const { stderr } = context;
  const service = serviceOf(context, flags);
  const submission = submissionOf(flags);
  const { key } = submission;
  const source = await openSource(path, flags.format);
  const again = key === undefined ? undefined : `'fairway submit ${path} --key ${key}'`;
  if (flags.key === undefined && key !== undefined && stderr.isTTY) stderr.write(`key ${key}\n`);
  const progress = uploadProgress(context, source);
  const stopWatching = onInterrupt(() => {
    progress.clear();
    stderr.write(`fairway: interrupted; the verdict is not known${again ? `, ${again} asks for it` : ''}\n`);
  });
  try {
    const answer = await tryUntilAnswered(service, source, submission, progress);
    progress.clear();
    await printVerdict(context, service, { source, flags, answer });
  } catch (error) {
    progress.clear();
    throw isTransient(error) && again ? withHint(error, again) : error;
  } finally {
    stopWatching();
    await source.close();
  }
}

interface Submission {
  /** None for a dry run. */
  key: string | undefined;
  path: string;
  headers: Record<string, string>;
  patienceMilliseconds: number;
}

/** Throws `usage`. */
function submissionOf({ key, replace, dryRun, items, patience }: SubmitFlags): Submission {
  if (key !== undefined && !/^[!-~]([ -~]{0,198}[!-~])?$/.test(key))
    throw new FairwayError('usage', '--key: at most 200 plain characters, with no space at either end');
  const query = new URLSearchParams({
    ...(dryRun ? { dry_run: 'true' } : {}),
    ...(replace === undefined ? {} : { replaces: String(wholeNumber('--replace', replace, 1, 1e12)) }),
  });
  const sentKey = dryRun ? undefined : (key ?? randomUUID());
  return {
    key: sentKey,
    path: query.size === 0 ? '/batches' : `/batches?${query.toString()}`,
    headers: {
      ...(sentKey === undefined ? {} : { 'idempotency-key': sentKey }),
      ...(items === undefined
        ? {}
        : { 'fairway-items': String(wholeNumber('--items', items, 0, 999_999_999_999)) }),
    },
    patienceMilliseconds: wholeNumber('--patience', patience, 0, 86_400) * 1_000,
  };
}

/** The answer that is a verdict: published, rejected, or checked. Throws every other. */
function tryUntilAnswered(
  service: Service,
  source: Source,
  { path, headers, patienceMilliseconds }: Submission,
  progress: Progress,
): Promise<Answer> {
  const retrying = {
    patienceMilliseconds,
    sent: () => progress.sent(),
    now: () => performance.now(),
    delay,
    random: Math.random,
    onFailure: ({ message }: FairwayError, wait: number) =>
      progress.say(`trying again in ${duration(wait / 1_000)}: ${message}`),
  };
  return untilVerdict(retrying, async ({ silenceMilliseconds }) => {
    const onBytes = progress.begin();
    const answer = await send(service, {
      method: 'POST',
      path,
      headers: {
        ...headers,
        'content-type': mediaTypes[source.format],
        ...(source.packing === undefined ? {} : { 'content-encoding': source.packing }),
      },
      body: { bytes: source.read(onBytes), size: source.size },
      silenceMilliseconds,
    });
    const { status, json } = answer;
    if (status === 422 || (isGood(status) && json !== undefined)) return answer;
    throw errorOf(service, answer);
  });
}

const withHint = (error: FairwayError, again: string): FairwayError =>
  new FairwayError(error.code, `${error.message}\nthe verdict is not known; ${again} asks for it`, {
    cause: error,
  });

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
