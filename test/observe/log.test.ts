import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FairwayEvent } from '../../src/events.js';
import { createLog } from '../../src/observe/log.js';

const request: FairwayEvent = {
  kind: 'request',
  id: '8d3bd7a7-cc4a-4286-95a7-2c7c29dd0e0f',
  method: 'GET',
  url: '/rates?x="\\\u2028é',
  route: '/rates',
  status: 200,
  milliseconds: 1.23456,
};
const others: FairwayEvent[] = [
  { kind: 'database-lost', reason: 'gone' },
  { kind: 'answer-cache', outcome: 'hit' },
  { kind: 'request-failed', id: 'x', error: new Error('odd') },
];

/** What the log writes of the events, in time. */
async function written(
  level: string,
  terminal: boolean,
  events = [request, ...others],
): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-log-'));
  const file = join(folder, 'log');
  try {
    const log = createLog(level, terminal, file);
    for (const event of events) log(event);
    const lines = (): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);
    await expect.poll(() => lines().length).toBeGreaterThan(events.length > 1 ? 1 : 0);
    return lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a line of JSON per event, the request’s like any other; what is below the level is not written', async () => {
  const [first, lost, failed, ...more] = await written('info', true);
  const { kind: _kind, ...fields } = request;
  expect(first).toEqual({
    ...fields,
    milliseconds: 1.235,
    level: 30,
    time: expect.any(Number) as number,
    event: 'request',
  });
  expect(lost).toMatchObject({ level: 40, event: 'database-lost', reason: 'gone' });
  expect(failed).toMatchObject({ level: 50, event: 'request-failed', err: { message: 'odd' } });
  expect(more).toEqual([]);
});

test('auto is for warnings on a terminal, and for everything else elsewhere', async () => {
  expect((await written('auto', true)).map((line) => line['event'])).toEqual([
    'database-lost',
    'request-failed',
  ]);
  expect((await written('auto', false)).map((line) => line['event'])).toEqual([
    'request',
    'database-lost',
    'request-failed',
  ]);
});

test('a request’s line comes out though nothing else happens, and those of many at once in their order', async () => {
  expect(await written('info', false, [request])).toHaveLength(1);
  const many = Array.from({ length: 500 }, (_, index) => ({ ...request, id: String(index) }));
  const ids = (await written('info', false, [...many, ...others])).map(({ id }) => id);
  expect(ids.slice(0, 500)).toEqual(many.map(({ id }) => id));
});
