/** A file sent in one request, again and again where it must, until its verdict is known. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FairwayError } from '../../errors.js';
import { errorOf, isGood, send, type Answer, type Service } from '../client.js';
import { mediaTypes } from './format.js';
import { duration, type Progress } from './progress.js';
import { untilVerdict } from './retry.js';
import type { Source } from './source.js';

export interface WholeJob {
  service: Service;
  source: Source;
  /** Path with its query. */
  path: string;
  headers: Record<string, string>;
  patienceMilliseconds: number;
  progress: Progress;
}

/** The answer that is a verdict: published, rejected, or checked. Throws every other. */
export function submitWhole(job: WholeJob): Promise<Answer> {
  const { service, source, path, headers, patienceMilliseconds, progress } = job;
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
