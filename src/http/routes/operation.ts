/** For those who run the service: is it alive, is it ready, what does it measure. */
import { FairwayError } from '../../errors.js';
import { routes } from '../contract.js';
import type { Server, Services } from '../server.js';

/** Who asks whether we are ready wants to know soon. */
const readyMilliseconds = 2_000;

export function operationRoutes(server: Server, { answers, metrics, lifecycle }: Services): void {
  server.route({ ...routes.live, handler: () => ({ status: 'live' as const }) });
  server.route({
    ...routes.ready,
    handler: async () => {
      if (lifecycle.stopping)
        throw new FairwayError('stopping', 'this process was told to stop and takes no new work');
      const revision = await answers.head.ask({ deadline: performance.now() + readyMilliseconds });
      return { status: 'ready' as const, revision };
    },
  });
  server.route({
    ...routes.metrics,
    handler: async (_request, reply) => reply.type(metrics.contentType).send((await metrics.text()) as never),
  });
}
