/** GET /rates: the average price per day between two places. */
import { routes } from '../contract.js';
import { parseQuestion, type RawQuery } from '../question.js';
import type { Server, Services } from '../server.js';

const contentType = 'application/json; charset=utf-8';

export function ratesRoute(server: Server, { answers, deadline }: Services): void {
  server.route({
    ...routes.rates,
    // parseQuestion reads the parameters: as the original service did, with every fault at once.
    validatorCompiler: () => () => true,
    handler: (request, reply) => {
      const send = ({ body, revision }: { body: string; revision: number }, timing: string) =>
        reply
          .headers({ 'rates-revision': revision, 'server-timing': timing, 'content-type': contentType })
          .send(body as never);
      // The address stands for the question: another order of parameters is kept as another entry.
      const kept = answers.kept(request.url);
      if (kept) return send(kept, 'cache');
      const begun = performance.now();
      return answers
        .answer(request.url, parseQuestion(request.query as RawQuery), { deadline: deadline() })
        .then((answer) => send(answer, `db;dur=${(performance.now() - begun).toFixed(2)}`));
    },
  });
}
