/** The part of the contract that is about batches. */
import { Type } from 'typebox';
import {
  batch,
  batchId,
  batchShape,
  check,
  count,
  counts,
  fault,
  id,
  moment,
  rejection,
  state,
} from './batch-shapes.js';
import {
  away,
  gone,
  json,
  moment as revisions,
  nullable,
  orCsv,
  problems,
  spent,
} from './contract-shapes.js';
import { opening } from './part-contract.js';
import { format } from './query-contract.js';

const cursor = Type.Optional(
  Type.String({ maxLength: 40, description: '`next` of the answer before; go on from there' }),
);
const next = nullable(Type.String(), 'To be sent as `cursor`; null at the end');
const limit = (most: number, fallback: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: most,
      description: `At most so many; ${fallback} where it is not given`,
    }),
  );
/** How many batches, and faults, where no limit is given. */
export const pageSizes = { batches: 50, errors: 1_000 };

const security = [{ key: [] }];
const refused = { 401: 'An API key is needed', 403: 'The key lacks the scope' };
const unknown = { 404: 'There is no such batch, or it belongs to another key' };
const text = (example: string) => ({ schema: Type.String({ examples: [example] }) });

export const batchRoutes = {
  postBatch: {
    method: 'POST',
    url: '/batches',
    schema: {
      operationId: 'postBatch',
      tags: ['Batches'],
      summary: 'Publish a batch of prices: all of it, or none with every fault',
      description:
        'The body has orig_code, dest_code, day and price of each item: as CSV with a header line, as NDJSON, or as a JSON array. The answer is the verdict. With an `Idempotency-Key` a repeat, whatever happened to the first try, finds its verdict or finishes it; without one each request is a batch of its own. The key of a rejected batch may be used for the corrected content. `{"parts": true}` instead of items opens a batch in parts, for what is too large for one request.',
      security,
      headers: Type.Object({
        'idempotency-key': Type.Optional(
          Type.String({
            pattern: '^[!-~][ -~]{0,198}[!-~]$|^[!-~]$',
            description: 'Yours, unique for each batch',
          }),
        ),
        'fairway-items': Type.Optional(
          Type.String({ pattern: '^[0-9]{1,12}$', description: 'How many items there must be' }),
        ),
        'content-encoding': Type.Optional(
          Type.String({ description: '`gzip`, or `zstd` where it is supported' }),
        ),
      }),
      querystring: Type.Object(
        {
          replaces: Type.Optional(batchId),
          dry_run: Type.Optional(
            Type.Boolean({ description: 'The verdict alone; nothing is published or kept' }),
          ),
        },
        { additionalProperties: false },
      ),
      body: {
        content: {
          'text/csv': text('orig_code,dest_code,day,price\nCNGGZ,EETLL,2021-01-01,1188\n'),
          'application/x-ndjson': text(
            '{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":1188}\n',
          ),
          'application/json': {
            schema: Type.Union([
              Type.String({
                examples: ['[{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":1188}]'],
              }),
              opening,
            ]),
          },
        },
      },
      response: {
        200: json(
          'A repeat: the batch of the key, as it is now. With `dry_run`: what it would do',
          Type.Union([batch, check]),
        ),
        201: json('It is published; or it is open, and takes parts', batch),
        422: {
          description: 'It has faults, and none of it is published',
          content: { 'application/problem+json': { schema: rejection } },
        },
        ...problems({
          400: 'A parameter is not valid, or the body is not as encoded',
          ...refused,
          404: 'The batch to be replaced is not there',
          408: 'The upload was too slow',
          409: 'The key has other content, or is at work (Retry-After); or the batch to be replaced is not published',
          413: 'The body is too large once decoded',
          415: 'The body is of a kind or encoding that is not taken',
          507: 'The disk of the database is nearly full; Retry-After says when to ask again',
          ...away,
        }),
      },
    },
  },
  batches: {
    method: 'GET',
    url: '/batches',
    schema: {
      operationId: 'batches',
      tags: ['Batches'],
      summary: 'Your batches, the newest first',
      security,
      querystring: Type.Object(
        {
          state: Type.Optional(state),
          key: Type.Optional(Type.String({ maxLength: 200, description: 'Of this Idempotency-Key' })),
          since: Type.Optional(
            Type.String({
              maxLength: 40,
              description: 'Received then or later: a day, or a moment with its zone',
            }),
          ),
          until: Type.Optional(Type.String({ maxLength: 40, description: 'Received before; likewise' })),
          cursor,
          limit: limit(1_000, pageSizes.batches),
        },
        { additionalProperties: false },
      ),
      response: {
        200: json('Batches', Type.Object({ batches: Type.Array(Type.Object(batchShape)), next })),
        ...problems({ 400: 'A parameter is not valid', ...refused, ...away }),
      },
    },
  },
  batch: {
    method: 'GET',
    url: '/batches/:id',
    schema: {
      operationId: 'batch',
      tags: ['Batches'],
      summary: 'One batch',
      security,
      params: Type.Object({ id }),
      response: {
        200: json('The batch', Type.Object(batchShape)),
        ...problems({ ...refused, ...unknown, ...away }),
      },
    },
  },
  batchErrors: {
    method: 'GET',
    url: '/batches/:id/errors',
    schema: {
      operationId: 'batchErrors',
      tags: ['Batches'],
      summary: 'The faults of a rejected batch, in order of place',
      description: 'As CSV, with `format=csv` or `Accept: text/csv`, all of them at once.',
      security,
      params: Type.Object({ id }),
      querystring: Type.Object(
        {
          format: format('json', 'csv'),
          cursor,
          limit: limit(10_000, pageSizes.errors),
        },
        { additionalProperties: false },
      ),
      response: {
        200: orCsv(
          json(
            'Faults',
            Type.Object({
              errors: Type.Array(fault),
              error_total: Type.Integer(),
              error_counts: counts,
              next,
            }),
          ),
        ),
        ...problems({
          400: 'A parameter is not valid',
          ...refused,
          ...unknown,
          410: 'The list was removed, long after the batch was rejected',
          ...away,
        }),
      },
    },
  },
  deleteBatch: {
    method: 'DELETE',
    url: '/batches/:id',
    schema: {
      operationId: 'deleteBatch',
      tags: ['Batches'],
      summary: 'Withdraw a batch: its items leave the answers in a new revision',
      description:
        'The revision that withdrew it is in `Rates-Revision`. A repeat answers the same. An open batch in parts is given up: it is answered as it was, and is gone.',
      security,
      params: Type.Object({ id }),
      response: {
        200: json('The batch, withdrawn', Type.Object(batchShape)),
        ...problems({ ...refused, ...unknown, 409: 'It was never published', ...away }),
      },
    },
  },
  sources: {
    method: 'GET',
    url: '/rates/sources',
    schema: {
      operationId: 'sources',
      tags: ['Batches'],
      summary: 'Which of your batches stand behind a day of a lane',
      description: 'As CSV, with `format=csv` or `Accept: text/csv`, the sources alone.',
      security,
      querystring: Type.Object(
        {
          origin: Type.String({ maxLength: 80, description: 'Code of a port or slug of a region' }),
          destination: Type.String({ maxLength: 80, description: 'Code of a port or slug of a region' }),
          day: Type.String({ maxLength: 10, description: 'YYYY-MM-DD', examples: ['2021-01-01'] }),
          format: format('json', 'csv'),
          ...revisions,
        },
        { additionalProperties: false },
      ),
      response: {
        200: orCsv(
          json(
            'Batches, by number',
            Type.Object({
              origin: Type.String(),
              destination: Type.String(),
              day: Type.String(),
              items: count('Of the day, those of other keys included'),
              sources: Type.Array(
                Type.Object({
                  batch: id,
                  key: nullable(Type.String(), 'The Idempotency-Key it was sent with'),
                  published_at: moment('When it became visible'),
                  items: count('Of the day'),
                  average: nullable(
                    Type.Number(),
                    'Null for a batch of somebody else with fewer than three items',
                  ),
                }),
              ),
              revision: count('Revision the answer belongs to'),
            }),
          ),
        ),
        ...problems({
          400: 'A parameter is not valid, or too much is asked for at once',
          429: spent,
          ...refused,
          404: 'There is no such place',
          ...gone,
          ...away,
        }),
      },
    },
  },
} as const;
