/** Publishes batches of items directly, as a test needs them. */
import type { Database } from '../../src/database/database.js';
import { AttemptLoader } from '../../src/ingest/attempt.js';
import { publish } from '../../src/ingest/publish.js';
import { openBatch } from '../../src/ingest/sql.js';

/** Lane by its ports, day since 1970-01-01, price. */
export type TestItem = readonly [origin: string, destination: string, day: number, price: number];

/** Publishes the items as one batch, withdrawing others in the same revision; resolves with the batch and the revision. */
export function publishItems(
  database: Database,
  items: readonly TestItem[],
  replaces: string[] = [],
): Promise<{ batch: string; revision: number }> {
  return database.transaction(async (client) => {
    const { batch, attempt } = await openBatch(client, 'test');
    const loader = new AttemptLoader(client, attempt);
    const numbers = new Map<string, number>();
    for (const [origin, destination, day, price] of items) {
      const lane = `${origin} ${destination}`;
      let number = numbers.get(lane);
      if (number === undefined) {
        numbers.set(lane, (number = numbers.size));
        loader.lane(origin, destination, 0);
      }
      loader.item(number, day, price);
    }
    await loader.finish();
    const revision = await publish(client, {
      batch,
      attempt,
      items: loader.items,
      lanes: loader.lanes.length,
      contentHash: Buffer.alloc(32),
      reason: 'test',
      replaces,
    });
    return { batch, revision: Number(revision) };
  });
}
