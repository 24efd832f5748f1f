/** GET /rates: the average price per day between two places. */
import { csvOfRates, ratesColumns } from '../../query/render.js';
import { askerWithKey } from '../asker.js';
import { routes } from '../contract.js';
import { chooseFormat, mediaTypes } from '../negotiate.js';
import { parseQuestion, type RawQuery } from '../question.js';
import { askedOf, isKnown, represent, staleHeaders, timingOf, varyOfRates } from '../rates-answer.js';
import type { Server, Services } from '../server.js';

export const jsonType = mediaTypes.json;

export function ratesRoute(server: Server, services: Services): void {
  const { answers, cacheControl } = services;
  server.route({
    ...routes.rates,
    // parseQuestion reads the parameters, all of them text: as the original service did, with every fault at once.
    validatorCompiler: () => () => true,
    // Most questions are answered ahead of the router (../direct.ts); this has the rest, such as HEAD, CSV and those with a key.
    handler: async ({ url, method, query, headers, raw: request }, reply) => {
      const begun = performance.now();
      const raw = query as unknown as RawQuery;
      const given = raw['format'];
      const format = chooseFormat(['json', 'csv'], Array.isArray(given) ? given[0] : given, headers.accept);
      const options = await askerWithKey(services, request, reply.raw);
      const asked = askedOf(url);
      const question = () => parseQuestion(raw);
      const { answer, kept, stale } =
        format === 'csv'
          ? await answers.answer({ ...asked, key: `csv ${asked.key}` }, question, options, renderCsv)
          : await answers.answer(asked, question, options);
      reply.headers({
        vary: varyOfRates,
        'rates-revision': answer.revision,
        'server-timing': timingOf(kept, begun),
        etag: answer.etag,
        // What is shown to a key is not for whoever else asks the same cache.
        'cache-control':
          headers.authorization === undefined ? cacheControl : cacheControl.replace('public', 'private'),
        ...(stale ? staleHeaders(stale) : {}),
      });
      if (isKnown(headers['if-none-match'], answer.etag)) return reply.code(304).send(undefined as never);
      const accepted = method === 'HEAD' ? undefined : headers['accept-encoding'];
      const { body, encoding } = await represent(answers, answer, accepted);
      if (encoding) reply.header('content-encoding', encoding);
      return reply.header('content-type', mediaTypes[format]).send(body);
    },
  });
}

const renderCsv: Parameters<Services['answers']['answer']>[3] = (question, { totals, statistics }) =>
  `${ratesColumns(question.statistics).join(',')}\r\n${csvOfRates(totals, statistics)}`;
