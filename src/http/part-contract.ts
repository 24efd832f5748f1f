/** The part of the contract that is about batches in parts. */
import { Type } from 'typebox';
import { batch, batchShape, count, counts, fault, id, moment } from './batch-shapes.js';
import { away, json, nullable, problem, problems } from './contract-shapes.js';

const cursor = Type.Optional(
  Type.String({ maxLength: 40, description: '`next` of the answer before; go on from there' }),
);
/** How many parts where no limit is given, and at the most. */
export const partPages = { usual: 1_000, most: 10_000 };

const security = [{ key: [] }];
const refused = { 401: 'An API key is needed', 403: 'The key lacks the scope ingest' };
const unknown = { 404: 'There is no such batch, or it belongs to another key' };
const text = (example: string) => ({ schema: Type.String({ examples: [example] }) });

export const opening = Type.Object(
  {
    parts: Type.Literal(true, { description: 'The batch comes in parts' }),
    format: Type.Optional(
      Type.Union([Type.Literal('csv'), Type.Literal('ndjson'), Type.Literal('json')], {
        description: 'Of its parts, for the record: each part says what it is',
      }),
    ),
  },
  { additionalProperties: false },
);

const partShape = {
  part: count('Its number'),
  items: count('Items of it'),
  lanes: count('Lanes they belong to'),
  bytes: count('Size of its body once decoded'),
  digest: Type.String({ description: 'As `Content-Digest` says it: `sha-256=:BASE64:`' }),
  stored_at: moment('When it was stored'),
};

const partRejection = Type.Intersect([
  Type.Omit(problem, ['errors']),
  Type.Object({
    errors: Type.Array(fault, { description: 'The first 100; lines are those of the part' }),
    error_counts: counts,
    error_total: count('All of them'),
  }),
]);

const incomplete = Type.Intersect([
  problem,
  Type.Object({
    missing: Type.Optional(Type.Array(Type.Integer(), { description: 'Numbers not there, the first 100' })),
    unexpected: Type.Optional(Type.Array(Type.Integer(), { description: 'Numbers above `parts`, likewise' })),
    parts: Type.Optional(count('Parts there are')),
    items: Type.Optional(count('Items they have')),
  }),
]);

const params = Type.Object({ id });

export const partRoutes = {
  putPart: {
    method: 'PUT',
    url: '/batches/:id/parts/:part',
    schema: {
      operationId: 'putPart',
      tags: ['Batches'],
      summary: 'Store a part of an open batch: all of it, or nothing with every fault',
      description:
        'Parts may come in any order, in parallel and to any server; each is a document of its own, CSV with a header line. The same part once more is answered at once; a good one with other content takes the place of the earlier one as a whole. Nothing is visible before the batch is published.',
      security,
      params: Type.Object({
        id,
        part: Type.Integer({ minimum: 1, maximum: 10_000, description: 'Number of the part, from 1' }),
      }),
      headers: Type.Object({
        'content-digest': Type.String({
          maxLength: 1_000,
          description: '`sha-256=:BASE64:` over the bytes as sent, packed or not (RFC 9530)',
        }),
        'fairway-items': Type.Optional(
          Type.String({ pattern: '^[0-9]{1,12}$', description: 'How many items there must be' }),
        ),
        'content-encoding': Type.Optional(
          Type.String({ description: '`gzip`, or `zstd` where it is supported' }),
        ),
      }),
      body: {
        content: {
          'text/csv': text('orig_code,dest_code,day,price\nCNGGZ,EETLL,2021-01-01,1188\n'),
          'application/x-ndjson': text(
            '{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":1188}\n',
          ),
          'application/json': text(
            '[{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-01-01","price":1188}]',
          ),
        },
      },
      response: {
        200: json('This very part was there already', Type.Object({ batch: id, ...partShape })),
        201: json('It is stored', Type.Object({ batch: id, ...partShape })),
        422: {
          description: 'It has faults, and nothing of it is stored',
          content: { 'application/problem+json': { schema: partRejection } },
        },
        ...problems({
          400: 'A parameter is not valid, the body is not as encoded, or not what `Content-Digest` says',
          ...refused,
          ...unknown,
          408: 'The part came too slowly',
          409: 'The batch takes no parts: it is published, withdrawn, expired, or was sent in one request',
          413: 'The body is too large once decoded',
          415: 'The body is of a kind or encoding that is not taken',
          ...away,
        }),
      },
    },
  },
  parts: {
    method: 'GET',
    url: '/batches/:id/parts',
    schema: {
      operationId: 'parts',
      tags: ['Batches'],
      summary: 'The parts of a batch that are stored, by number',
      security,
      params,
      querystring: Type.Object(
        {
          cursor,
          limit: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: partPages.most,
              description: `At most so many; ${partPages.usual} where it is not given`,
            }),
          ),
        },
        { additionalProperties: false },
      ),
      response: {
        200: json(
          'Parts',
          Type.Object({
            parts: Type.Array(Type.Object(partShape)),
            items: count('Items of all parts'),
            next: nullable(Type.String(), 'To be sent as `cursor`; null at the end'),
          }),
        ),
        ...problems({
          400: 'A parameter is not valid',
          ...refused,
          ...unknown,
          409: 'The batch was sent in one request',
          ...away,
        }),
      },
    },
  },
  publishBatch: {
    method: 'POST',
    url: '/batches/:id/publish',
    schema: {
      operationId: 'publishBatch',
      tags: ['Batches'],
      summary: 'Publish a batch in parts: all of it, in one revision',
      description:
        'The parts must be exactly those from 1 to `parts`, and have `items` items in all. The answer is the verdict; a repeat answers the same.',
      security,
      params,
      body: Type.Object(
        {
          parts: Type.Integer({ minimum: 1, maximum: 10_000, description: 'How many parts there are' }),
          items: Type.Integer({ minimum: 1, description: 'How many items they have in all' }),
        },
        { additionalProperties: false },
      ),
      response: {
        200: json('It is published', batch),
        409: {
          description:
            'The parts are not those stated (`parts_incomplete`): nothing has changed, parts may still be sent; or the batch cannot be published',
          content: { 'application/problem+json': { schema: incomplete } },
        },
        ...problems({
          400: 'A parameter is not valid',
          ...refused,
          ...unknown,
          415: 'The body is packed, or no JSON',
          ...away,
        }),
      },
    },
  },
  giveUpBatch: {
    method: 'DELETE',
    url: '/batches/:id/parts',
    schema: {
      operationId: 'giveUpBatch',
      tags: ['Batches'],
      summary: 'Give up an open batch in parts; one that is published stays',
      description: 'For a sender that does not know whether its batch was published after all.',
      security,
      params,
      response: {
        200: json('The batch as it was; it is gone', Type.Object(batchShape)),
        ...problems({ ...refused, ...unknown, 409: 'It is published, or was sent in one request', ...away }),
      },
    },
  },
} as const;
