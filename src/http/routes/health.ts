/** Stand-in until the real ones are merged: alive, ready, and the one metric the container tests need. */
import type { Server, Services } from '../server.js';

export function healthRoutes(server: Server, { database }: Services): void {
  const reachable = (): Promise<unknown> => database.withClient(async () => undefined);
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/ready', async () => {
    await reachable();
    return { status: 'ready' };
  });
  server.get('/metrics', async (_request, reply) => {
    const up = await reachable().then(
      () => 1,
      () => 0,
    );
    return reply.type('text/plain; version=0.0.4').send(`fairway_database_up ${up}\n`);
  });
}
