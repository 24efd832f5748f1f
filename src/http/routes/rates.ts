/** GET /rates: the average price per day between two places. */
import { routes } from '../contract.js';
import { parseQuestion, type RawQuery } from '../question.js';
import type { Server, Services } from '../server.js';

export const jsonType = 'application/json; charset=utf-8';

export function ratesRoute(server: Server, { answers, deadline }: Services): void {
  server.route({
    ...routes.rates,
    // parseQuestion reads the parameters, all of them text: as the original service did, with every fault at once.
    validatorCompiler: () => () => true,
    // Nearly all questions are answered ahead of the router (../direct.ts); this has the rest, such as HEAD.
    handler: async ({ url, query }, reply) => {
      const begun = performance.now();
      // The address stands for the question: another order of parameters is kept as another entry.
      const question = () => parseQuestion(query as unknown as RawQuery);
      const { revision, body } = await answers.answer(url, question, { deadline: deadline() });
      const timing = `db;dur=${(performance.now() - begun).toFixed(2)}`;
      const headers = { 'rates-revision': revision, 'server-timing': timing, 'content-type': jsonType };
      return reply.headers(headers).send(body);
    },
  });
}
