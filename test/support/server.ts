/** The HTTP server over a test's database, wired as the program does it. */
import { createServer, type Server, type ServerOptions } from '../../src/http/server.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { newestRevision } from '../../src/query/head.js';
import type { TestDatabase } from './database.js';

export async function withServer(
  test: TestDatabase,
  work: (server: Server) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const { database } = test;
  const metrics = createMetrics({ pool: database.statistics, revision: () => newestRevision(database) });
  test.listeners.push(metrics.observe);
  const server = createServer({
    database,
    emit: test.emit,
    metrics,
    lifecycle: { stopping: false },
    writes: 'open',
    cacheBytes: 1 << 20,
    requestMilliseconds: 10_000,
    ...options,
  });
  try {
    await work(server);
  } finally {
    await server.close();
  }
}
