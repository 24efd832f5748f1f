/** GET /rates: the average price per day between two places. */
import { routes } from '../contract.js';
import { parseQuestion } from '../question.js';
import type { Server, Services } from '../server.js';

/** What an answer says of itself; `timing` is where its time went (Server-Timing). */
export const rateHeaders = (revision: number, timing: string) => ({
  'rates-revision': revision,
  'server-timing': timing,
  'content-type': 'application/json; charset=utf-8',
});

export function ratesRoute(server: Server, { answers, deadline }: Services): void {
  server.route({
    ...routes.rates,
    // parseQuestion reads the parameters: as the original service did, with every fault at once.
    validatorCompiler: () => () => true,
    // Nearly all questions are answered ahead of the router (../direct.ts); this has the rest, such as HEAD.
    handler: async ({ url, query }, reply) => {
      const begun = performance.now();
      // The address stands for the question: another order of parameters is kept as another entry.
      const question = () => parseQuestion(query);
      const { revision, body } = await answers.answer(url, question, { deadline: deadline() });
      const timing = `db;dur=${(performance.now() - begun).toFixed(2)}`;
      return reply.headers(rateHeaders(revision, timing)).send(body);
    },
  });
}
