/** GET /rates: the average price per day between two places. */
import { csvOfRates, ratesColumns } from '../../query/render.js';
import { ratesBetween } from '../../query/rates.js';
import { askerWithKey } from '../asker.js';
import { routes } from '../contract.js';
import { chooseFormat, mediaTypes } from '../negotiate.js';
import { parseQuestion, type RawQuery } from '../question.js';
import type { Server, Services } from '../server.js';

export const jsonType = mediaTypes.json;

export function ratesRoute(server: Server, services: Services): void {
  const { answers, source } = services;
  server.route({
    ...routes.rates,
    // parseQuestion reads the parameters, all of them text: as the original service did, with every fault at once.
    validatorCompiler: () => () => true,
    // Most questions are answered ahead of the router (../direct.ts); this has the rest, such as HEAD, CSV and what is packed.
    handler: async ({ url, query, headers, raw: request }, reply) => {
      const begun = performance.now();
      const raw = query as unknown as RawQuery;
      const given = raw['format'];
      const format = chooseFormat(['json', 'csv'], Array.isArray(given) ? given[0] : given, headers.accept);
      const finish = (revision: number): void => {
        const timing = `db;dur=${(performance.now() - begun).toFixed(2)}`;
        reply.headers({
          vary: 'Accept',
          'rates-revision': revision,
          'server-timing': timing,
          'content-type': mediaTypes[format],
        });
      };
      const options = await askerWithKey(services, request, reply.raw);
      if (format === 'csv') {
        const question = parseQuestion(raw);
        const { revision, totals, statistics } = await ratesBetween(source, question, options);
        finish(revision);
        return reply.send(
          `${ratesColumns(question.statistics).join(',')}\r\n${csvOfRates(totals, statistics)}`,
        );
      }
      // The address stands for the question: another order of parameters is kept as another entry.
      const { revision, body } = await answers.answer(url, () => parseQuestion(raw), options);
      finish(revision);
      return reply.send(body);
    },
  });
}
