/** What tests of uploads look at, and uploads that they send piece by piece. */
import { PassThrough } from 'node:stream';
import type { Response } from 'light-my-request';
import type { Upload } from '../../src/ingest/upload/context.js';
import { csv, itemsOf, type BatchTest } from './batches.js';
import type { TestDatabase } from './database.js';

/** Items that are visible. */
export const items = async ({ query }: TestDatabase): Promise<number> =>
  (await query<{ count: number }>('select count(*)::integer as count from fairway.items'))[0]?.count ?? -1;

/** What is left of uploads that had no effect: all zero where nothing was orphaned. */
export const orphans = ({ query }: TestDatabase) =>
  query(
    `select (select count(*)::integer from fairway.segments s where not exists (select from fairway.batches b where b.attempt = s.attempt)) as segments,
       (select count(*)::integer from fairway.parts p where not exists (select from fairway.batches b where b.attempt = p.attempt)) as parts,
       (select count(*)::integer from fairway.batches where state = 'loading') as batches`,
  );
export const none = [{ segments: 0, parts: 0, batches: 0 }];

/** Resolves once the condition holds; gives up long after it should, so that a broken promise ends in a fault. */
export async function until(condition: () => Promise<boolean>, milliseconds = 60_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Begins an upload whose body the test sends piece by piece. */
export function begin(test: BatchTest, key?: string): { body: PassThrough; answer: Promise<Response> } {
  const body = new PassThrough();
  body.write(csv(itemsOf(2)));
  return { body, answer: test.post(body, key === undefined ? {} : { key }) };
}
/** Resolves once so many connections wait for a lock. */
export const untilWaiting = (test: TestDatabase, count: number): Promise<void> =>
  until(async () => {
    const waiting = await test.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return waiting.length >= count;
  });

/** Attempts with a lease. */
export const attempts = ({ query }: TestDatabase) =>
  query('select id from fairway.attempts a where lease_until is not null');
export const expireLeases = ({ query }: TestDatabase) =>
  query(
    "update fairway.attempts set lease_until = now() - interval '1 second' where lease_until is not null",
  );

/** A lease so long that no renewal comes in between. */
export const long = { leaseMilliseconds: 3_600_000 };

/** With a key, where writes are open. */
export const upload: Upload = {
  caller: { key: null, all: true },
  key: 'k',
  format: 'csv',
  encoding: 'identity',
  replaces: null,
};

export async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
