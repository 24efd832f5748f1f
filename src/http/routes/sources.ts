/** GET /rates/sources: which batches stand behind a lane's day. */
import { parseDay } from '../../days.js';
import { FairwayError } from '../../errors.js';
import type { Caller } from '../../ingest/upload/context.js';
import { fewestItems } from '../../query/fewest-items.js';
import { sourcesBetween, type SourceBatch } from '../../query/sources/sources.js';
import { askerOf } from '../asker.js';
import { callerOf, requireScope } from '../access.js';
import { routes } from '../contract.js';
import { csvField } from '../csv.js';
import { chooseFormat, mediaTypes } from '../negotiate.js';
import { momentOf } from '../page-query.js';
import type { Server, Services } from '../server.js';

export function sourcesRoute(server: Server, services: Services): void {
  const { source, answers } = services;
  server.route({
    ...routes.sources,
    onRequest: requireScope(services, 'ingest', 'withdraw'),
    handler: async (request, reply) => {
      const { origin, destination, day: text } = request.query;
      const format = chooseFormat(['json', 'csv'], request.query.format, request.headers.accept);
      const question = { origin, destination, day: dayOf(text), ...momentOf(request.query) };
      const caller = callerOf(request);
      const options = askerOf(
        services,
        request.raw,
        reply.raw,
        caller.key === null ? undefined : `key ${caller.key}`,
      );
      const { revision, batches } = await sourcesBetween(source, question, options);
      answers.head.learn(revision);
      const behind = batches.filter((batch) => countOf(batch) > 0);
      const shown = behind.filter((batch) => caller.all || batch.owner === caller.key);
      void reply.headers({ 'rates-revision': revision, vary: 'Accept' });
      const sources = shown.map((batch) => render(batch, caller));
      if (format === 'csv') return reply.type(mediaTypes.csv).send(csvOf(sources));
      return reply.send({
        origin,
        destination,
        day: text,
        items: behind.reduce((sum, batch) => sum + countOf(batch), 0),
        sources,
        revision,
      });
    },
  });
}

const countOf = ({ counts }: SourceBatch): number => counts[0] ?? 0;

function render(batch: SourceBatch, caller: Caller) {
  const items = countOf(batch);
  const told = batch.owner === caller.key || items >= fewestItems;
  return {
    batch: batch.batch,
    key: batch.key,
    published_at: batch.publishedAt.toISOString(),
    items,
    average: told ? (batch.sums[0] ?? 0) / items : null,
  };
}

/** Its own batches alone; how many items the day has in all is not told. */
const csvOf = (sources: readonly ReturnType<typeof render>[]): string =>
  [
    ['batch', 'key', 'published_at', 'items', 'average'],
    ...sources.map(({ batch, key, published_at, items, average }) => [
      batch,
      csvField(key ?? ''),
      published_at,
      items,
      average ?? '',
    ]),
  ]
    .map((fields) => `${fields.join(',')}\r\n`)
    .join('');

function dayOf(text: string): number {
  const day = parseDay(text);
  if (day !== undefined) return day;
  const message = `'${text}' is not a day of the calendar`;
  throw new FairwayError('invalid_parameter', `day: ${message}`, {
    faults: [
      { parameter: 'day', message, expected: 'a date as YYYY-MM-DD, such as 2021-01-31', value: text },
    ],
  });
}
