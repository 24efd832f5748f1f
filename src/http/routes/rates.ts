/** GET /rates: the average price per day of a lane. */
import { laneRates } from '../../query/rates.js';
import { ratesQuery } from '../contract.js';
import { parseQuestion } from '../question.js';
import type { Server, Services } from '../server.js';

export function ratesRoute(server: Server, { database }: Services): void {
  server.get('/rates', { schema: { querystring: ratesQuery } }, async (request, reply) => {
    const { revision, rates } = await laneRates(database, parseQuestion(request.query));
    reply.header('rates-revision', String(revision));
    return { rates };
  });
}
