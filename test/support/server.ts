/** The HTTP server over a test's database, wired as the program does it. */
import type { Database } from '../../src/database/database.js';
import type { Emit } from '../../src/events.js';
import { createServer, type Server, type ServerOptions } from '../../src/http/server.js';
import { readDebt } from '../../src/ingest/debt/debt.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { readUpload } from '../../src/ingest/parse/upload.js';
import { uploadLimits } from '../../src/ingest/upload/limits.js';
import { readStorage } from '../../src/ingest/retention/storage.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { newestRevision } from '../../src/query/head.js';
import type { TestDatabase } from './database.js';
import { anyRoom } from './disk.js';

/** What the program passes, where a test needs nothing else. */
export const defaults = (database: Database, emit: Emit): ServerOptions & { observe: Emit } => {
  const { observe, ...metrics } = createMetrics({
    pool: () => database.statistics(),
    revision: () => newestRevision(database),
    storage: () => readStorage(database),
    room: () => Promise.resolve(undefined),
    reserveBytes: 0,
    debt: () => readDebt(database),
    loadShare: () => 100,
  });
  return {
    database,
    emit,
    observe,
    metrics,
    lifecycle: { stopping: false },
    role: 'all',
    uploads: new Uploads({ database, emit, limits: uploadLimits(), disk: anyRoom, read: readUpload }),
    writes: 'open',
    cacheBytes: 1 << 20,
    requestMilliseconds: 10_000,
  };
};

export async function withServer(
  test: TestDatabase,
  work: (server: Server) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const { observe, ...wired } = defaults(test.database, test.emit);
  test.listeners.push(observe);
  const server = createServer({ ...wired, ...options });
  try {
    await work(server);
  } finally {
    await server.close();
  }
}
