import { expect, test } from 'vitest';
import { untilVerdict, type Retrying } from '../../src/cli/submit/retry.js';
import { FairwayError } from '../../src/errors.js';

const away = (retryAfter?: number) =>
  new FairwayError('service_unreachable', 'away', retryAfter === undefined ? {} : { retryAfter });

/** A clock that stands still but for delays. */
function clock(seconds: number, sent = (): number => 0) {
  const waits: number[] = [];
  let time = 1_000;
  const retrying: Retrying = {
    patienceMilliseconds: seconds * 1_000,
    sent,
    now: () => time,
    delay: async (milliseconds) => {
      waits.push(milliseconds);
      time += milliseconds;
    },
    random: () => 0.5,
  };
  return { retrying, waits, spend: (milliseconds: number) => void (time += milliseconds) };
}

test('pauses double up to a bound, and end with patience', async () => {
  const { retrying, waits } = clock(60);
  await expect(untilVerdict(retrying, () => Promise.reject(away()))).rejects.toThrow('away');
  expect(waits.slice(0, 7)).toEqual([375, 750, 1_500, 3_000, 6_000, 11_250, 11_250]);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(60_000);
});

test('Retry-After is honoured where it is longer, within patience', async () => {
  const { retrying, waits } = clock(30);
  await expect(untilVerdict(retrying, () => Promise.reject(away(20)))).rejects.toThrow('away');
  expect(waits).toEqual([20_000, 10_000]);
});

test('a verdict ends it at once, good or bad', async () => {
  const { retrying, waits } = clock(60);
  const refused = new FairwayError('unauthenticated', 'no');
  await expect(untilVerdict(retrying, () => Promise.reject(refused))).rejects.toBe(refused);
  let tries = 0;
  const attempt = (): Promise<string> =>
    ++tries < 3 ? Promise.reject(away()) : Promise.resolve('published');
  await expect(untilVerdict(retrying, attempt)).resolves.toBe('published');
  expect(waits).toHaveLength(2);
});

test('patience begins anew with every try that gets further than any before', async () => {
  let sent = 0;
  const { retrying, waits, spend } = clock(10, () => sent);
  const further = [10e6, 20e6, 20e6, 15e6];
  const attempt = (): Promise<never> => {
    spend(60_000);
    sent = further.shift() ?? 0;
    return Promise.reject(away());
  };
  await expect(untilVerdict(retrying, attempt)).rejects.toThrow('away');
  expect(waits).toEqual([375, 375]);
});

test('silence is bounded by what is left of patience', async () => {
  const { retrying } = clock(10);
  const silences: number[] = [];
  const attempt = ({ silenceMilliseconds }: { silenceMilliseconds: number }): Promise<never> => {
    silences.push(silenceMilliseconds);
    return Promise.reject(away(8));
  };
  await expect(untilVerdict(retrying, attempt)).rejects.toThrow('away');
  expect(silences).toEqual([10_000, 2_000, 1_000]);
});
