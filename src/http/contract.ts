/** The contract: the table of routes, with the shapes that requests and answers have. OpenAPI is generated from it. */
import { Type } from 'typebox';
import { batchRoutes } from './batch-contract.js';
import { historyRoutes } from './history-contract.js';
import {
  askerSecurity,
  away,
  gone,
  json,
  moment,
  needsKey,
  nullable,
  orCsv,
  problems,
  revision,
  spent,
} from './contract-shapes.js';
import { partRoutes } from './part-contract.js';
import { format, queryRoutes, rate, statistics } from './query-contract.js';
import { maximumDays } from './question.js';

const name = (description: string, example: string) =>
  Type.Optional(Type.String({ description, examples: [example] }));
const day = (description: string, example: string) =>
  Type.String({ format: 'date', description, examples: [example] });

const port = {
  code: Type.String({ description: 'UN/LOCODE, such as CNGGZ' }),
  name: Type.String(),
  parent: Type.String({ description: 'Slug of the region the port lies in' }),
};
const region = {
  slug: Type.String({ description: 'Such as north_sea' }),
  name: Type.String(),
  parent: nullable(Type.String(), 'Slug of the region it lies in; null at the top'),
};
const search = {
  search: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'Beginning of the code or of any word of the name; case and accents do not matter',
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'At most so many' })),
  ...moment,
};
const changed = { revision: Type.Integer({ description: 'Revision since when it is so, or a later one' }) };

export const routes = {
  rates: {
    method: 'GET',
    url: '/rates',
    schema: {
      operationId: 'rates',
      tags: ['Rates'],
      security: askerSecurity,
      summary: 'Average price per day between two places',
      description:
        'Over all items of all lanes from the origin to the destination. A region stands for every port below it, at any depth; each lane counts once, and from a port to itself there is none. Give each end in one of its two forms: a place (`origin`, `destination`), or a port as in the original service (`orig_code`, `dest_code`), which need not exist. The answer names its revision in `Rates-Revision` and its content in `ETag`; sent as `If-None-Match`, a 304 says that nothing changed. While the database is away, an answer from memory has `Age` and `Rates-Stale`.',
      querystring: Type.Object({
        date_from: day('First day', '2021-01-01'),
        date_to: day(`Last day; at most ${maximumDays} days in all`, '2021-01-31'),
        origin: name('Code of a port or slug of a region', 'CNGGZ'),
        destination: name('Code of a port or slug of a region', 'north_europe'),
        orig_code: name('Code of the port of origin; one that does not exist has no items', 'CNGGZ'),
        dest_code: name('Code of the port of destination; likewise', 'EETLL'),
        stats: statistics,
        format: format('json', 'csv'),
        ...moment,
      }),
      response: {
        200: orCsv(json('A rate per day, newest first', Type.Object({ rates: Type.Array(rate) }))),
        304: Type.Null({ description: 'The answer is the one that If-None-Match names' }),
        ...problems({
          400: 'A parameter is missing or not valid',
          404: 'There is no such place',
          429: spent,
          ...gone,
          ...needsKey,
          ...away,
        }),
      },
    },
  },
  ...queryRoutes,
  ...historyRoutes,
  ...batchRoutes,
  ...partRoutes,
  ports: {
    method: 'GET',
    url: '/ports',
    schema: {
      operationId: 'ports',
      tags: ['Places'],
      security: askerSecurity,
      summary: 'Ports, by code',
      querystring: Type.Object(
        {
          ...search,
          region: Type.Optional(Type.String({ description: 'Only ports below this region, at any depth' })),
        },
        { additionalProperties: false },
      ),
      response: {
        200: json('Ports', Type.Object({ ports: Type.Array(Type.Object(port)), revision })),
        ...problems({
          400: 'A parameter is not valid',
          404: 'There is no such region',
          ...gone,
          ...needsKey,
          ...away,
        }),
      },
    },
  },
  port: {
    method: 'GET',
    url: '/ports/:code',
    schema: {
      operationId: 'port',
      tags: ['Places'],
      security: askerSecurity,
      summary: 'One port',
      params: Type.Object({ code: port.code }),
      querystring: Type.Object(moment, { additionalProperties: false }),
      response: {
        200: json('The port', Type.Object({ ...port, revision })),
        ...problems({
          400: 'A parameter is not valid',
          404: 'There is no such port',
          ...gone,
          ...needsKey,
          ...away,
        }),
      },
    },
  },
  putPort: {
    method: 'PUT',
    url: '/ports/:code',
    schema: {
      operationId: 'putPort',
      tags: ['Places'],
      summary: 'Make a port, or change its name or region',
      description: 'A change is a revision of its own. The same once more changes nothing.',
      security: [{ key: [] }],
      params: Type.Object({ code: port.code }),
      body: Type.Object({ name: port.name, parent: port.parent }, { additionalProperties: false }),
      response: {
        200: json('The port as it is now', Type.Object({ ...port, ...changed })),
        201: json('The port was made', Type.Object({ ...port, ...changed })),
        ...problems({
          400: 'The body is not what is expected',
          401: 'An API key is needed',
          403: 'The key lacks the scope admin',
          415: 'The body is packed, or no JSON',
          422: 'There is no such region, or the code or name does not fit',
          ...away,
        }),
      },
    },
  },
  regions: {
    method: 'GET',
    url: '/regions',
    schema: {
      operationId: 'regions',
      tags: ['Places'],
      security: askerSecurity,
      summary: 'Regions, by slug, or as a tree',
      querystring: Type.Object(
        {
          ...search,
          view: Type.Optional(
            Type.String({
              enum: ['flat', 'tree'],
              description: '`tree`: nested, with their ports; takes neither `search` nor `limit`',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      response: {
        200: json(
          'Regions; nested they have `regions` and `ports` instead of `parent`',
          Type.Object({ regions: Type.Array(Type.Any()), revision }),
        ),
        ...problems({ 400: 'A parameter is not valid', ...gone, ...needsKey, ...away }),
      },
    },
  },
  region: {
    method: 'GET',
    url: '/regions/:slug',
    schema: {
      operationId: 'region',
      tags: ['Places'],
      security: askerSecurity,
      summary: 'One region',
      params: Type.Object({ slug: region.slug }),
      querystring: Type.Object(moment, { additionalProperties: false }),
      response: {
        200: json(
          'The region',
          Type.Object({ ...region, ports: Type.Integer({ description: 'Ports below it' }), revision }),
        ),
        ...problems({
          400: 'A parameter is not valid',
          404: 'There is no such region',
          ...gone,
          ...needsKey,
          ...away,
        }),
      },
    },
  },
  putRegion: {
    method: 'PUT',
    url: '/regions/:slug',
    schema: {
      operationId: 'putRegion',
      tags: ['Places'],
      summary: 'Make a region, or change its name or where it lies',
      description: 'A change is a revision of its own. The same once more changes nothing.',
      security: [{ key: [] }],
      params: Type.Object({ slug: region.slug }),
      body: Type.Object({ name: region.name, parent: region.parent }, { additionalProperties: false }),
      response: {
        200: json('The region as it is now', Type.Object({ ...region, ...changed })),
        201: json('The region was made', Type.Object({ ...region, ...changed })),
        ...problems({
          400: 'The body is not what is expected',
          401: 'An API key is needed',
          403: 'The key lacks the scope admin',
          415: 'The body is packed, or no JSON',
          422: 'There is no such parent, it would be a cycle, or the slug or name does not fit',
          ...away,
        }),
      },
    },
  },
  live: {
    method: 'GET',
    url: '/health/live',
    schema: {
      operationId: 'live',
      tags: ['Operation'],
      summary: 'Whether the process answers at all',
      response: { 200: json('It does', Type.Object({ status: Type.Literal('live') })) },
    },
  },
  ready: {
    method: 'GET',
    url: '/health/ready',
    schema: {
      operationId: 'ready',
      tags: ['Operation'],
      summary: 'Whether to send requests here',
      description:
        'Asks the database. Not ready while it is away, and from the moment the process was told to stop.',
      response: {
        200: json('Send them', Type.Object({ status: Type.Literal('ready'), revision })),
        ...problems({ 503: 'Do not; `detail` says why' }),
      },
    },
  },
  metrics: {
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'metrics',
      tags: ['Operation'],
      summary: 'Metrics in the text format of Prometheus',
      response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
    },
  },
} as const;
