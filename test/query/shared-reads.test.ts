/** Equal questions share a read; those who leave take nothing from those who stay. */
import { expect, test } from 'vitest';
import { FairwayError } from '../../src/errors.js';
import { SharedReads } from '../../src/query/cache/shared-reads.js';
import type { AskOptions } from '../../src/query/cost.js';

/** Reads that end when the test says so, or when they are given up. */
function reading() {
  const begun: { options: AskOptions; resolve: (answer: string) => void; reject: (error: Error) => void }[] =
    [];
  const work = (options: AskOptions): Promise<string> =>
    new Promise((resolve, reject) => {
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
      begun.push({ options, resolve, reject });
    });
  return { begun, work };
}

test('those who ask the same at the same time share one read, others do not', async () => {
  const reads = new SharedReads<string>();
  const { begun, work } = reading();
  const ask = (key: string, seen = 1) => reads.read(key, seen, {}, work);
  const [first, second, other, later] = [ask('a'), ask('a'), ask('b'), ask('a', 2)];
  expect(begun).toHaveLength(3);
  for (const [index, { resolve }] of begun.entries()) resolve(`answer ${index}`);
  expect(await Promise.all([first, second, other, later])).toEqual([
    'answer 0',
    'answer 0',
    'answer 1',
    'answer 2',
  ]);
  // What has ended is not shared: it is a read of its own time.
  const again = ask('a', 2);
  expect(begun).toHaveLength(4);
  begun[3]?.resolve('again');
  expect(await again).toBe('again');
});

test('a client that goes away fails alone; once all have gone the read is given up', async () => {
  const reads = new SharedReads<string>();
  const { begun, work } = reading();
  const clients = [new AbortController(), new AbortController(), new AbortController()];
  const asked = clients.map(({ signal }) => reads.read('a', 1, { signal }, work));
  expect(begun).toHaveLength(1);
  clients[0]?.abort(new Error('gone 0'));
  await expect(asked[0]).rejects.toThrow('gone 0');
  expect(begun[0]?.options.signal?.aborted).toBe(false);
  clients[1]?.abort(new Error('gone 1'));
  clients[2]?.abort(new Error('gone 2'));
  await expect(asked[1]).rejects.toThrow('gone 1');
  await expect(asked[2]).rejects.toThrow('gone 2');
  expect(begun[0]?.options.signal?.aborted).toBe(true);
  // Who comes after it was given up is not given up with it.
  const next = reads.read('a', 1, { signal: new AbortController().signal }, work);
  begun[1]?.resolve('next');
  expect(await next).toBe('next');
});

test('what one client may not have read for it, another may: an error is shared, a spent budget is not', async () => {
  const reads = new SharedReads<string>();
  const { begun, work } = reading();
  const spent = new FairwayError('budget_spent', 'spent');
  const [poor, rich] = [reads.read('a', 1, {}, work), reads.read('a', 1, {}, work)];
  begun[0]?.reject(spent);
  await expect(poor).rejects.toBe(spent);
  begun[1]?.resolve('answer');
  expect(await rich).toBe('answer');
  const both = [reads.read('b', 1, {}, work), reads.read('b', 1, {}, work)];
  begun[2]?.reject(new Error('away'));
  expect(await Promise.allSettled(both)).toMatchObject([
    { status: 'rejected', reason: { message: 'away' } },
    { status: 'rejected', reason: { message: 'away' } },
  ]);
});

test('who cannot go away is answered, though the one who began has gone', async () => {
  const reads = new SharedReads<string>();
  const { begun, work } = reading();
  const gone = new AbortController();
  const first = reads.read('a', 1, { signal: gone.signal }, work);
  const second = reads.read('a', 1, {}, work);
  gone.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  begun[0]?.resolve('answer');
  expect(await second).toBe('answer');
  expect(begun).toHaveLength(1);
});
