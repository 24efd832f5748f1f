/** An OpenAPI document as @fastify/swagger makes them, with what a hostile or careless description could hold. */
import type { OpenApiDocument } from '../../src/http/docs-page.js';

const text = { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] };

const rate = {
  type: 'object',
  required: ['count', 'day', 'price'],
  properties: {
    count: { type: ['integer', 'null'], description: 'Prices of the day; null for none' },
    day: { type: 'string', format: 'date' },
    price: { anyOf: [{ type: 'number' }, { type: 'null' }], description: 'Their average; null below three' },
  },
};

const problem = {
  type: 'object',
  required: ['status', 'code'],
  properties: {
    status: { type: 'integer' },
    code: { type: 'string' },
    errors: { type: 'array', items: { type: 'object', properties: { parameter: { type: 'string' } } } },
  },
};

const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

export const sampleOpenApi: OpenApiDocument = {
  info: {
    title: 'Fairway',
    version: '0.1.0',
    description:
      'Freight rates: the average price per day of a lane.\n\nEvery answer names its `Rates-Revision`.',
  },
  servers: [{ url: 'http://127.0.0.1:3000/' }],
  paths: {
    '/rates': {
      get: {
        summary: 'The average price per day of a lane',
        description: 'Days come newest first. Below three prices, `price` is null.',
        parameters: [
          {
            name: 'date_from',
            in: 'query',
            required: true,
            description: 'First day, YYYY-MM-DD',
            schema: text,
            example: '2021-01-01',
          },
          { name: 'date_to', in: 'query', required: true, schema: text, example: '2021-01-31' },
          {
            name: 'origin',
            in: 'query',
            description: 'Code of a port or slug of a region',
            schema: text,
            example: 'CNGGZ',
          },
          { name: 'destination', in: 'query', schema: text, example: 'EETLL' },
          { name: 'orig_code', in: 'query', description: 'Code of a port', schema: text },
        ],
        responses: {
          '200': {
            description: 'A rate for each day',
            headers: { 'Rates-Revision': { description: 'What the answer belongs to' } },
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['rates'],
                  properties: { rates: { type: 'array', items: { $ref: '#/components/schemas/Rate' } } },
                },
              },
            },
          },
          '400': { description: 'A parameter is not valid', content: problemContent },
          '404': { $ref: '#/components/responses/NotFound' },
        },
      },
    },
    '/batches/{id}/parts/{n}': {
      parameters: [
        {
          name: 'id',
          in: 'path',
          required: true,
          schema: { type: 'string', format: 'uuid' },
          example: "it's/one",
        },
      ],
      put: {
        summary: 'Sends a part of a batch',
        deprecated: true,
        parameters: [
          { name: 'n', in: 'path', required: true, schema: { type: 'integer', minimum: 1, maximum: 9999 } },
          { $ref: '#/components/parameters/Key' },
        ],
        requestBody: {
          description: 'Items, one a line',
          content: { 'text/csv': { example: 'orig_code,dest_code,day,price\nCNGGZ,EETLL,2021-01-01,1188' } },
        },
        responses: { '200': { description: 'The batch so far' } },
      },
    },
    '/nodes/<script>alert(1)</script>': {
      get: {
        summary: '<img src=x onerror=alert(1)>',
        description: '</main><script>alert(2)</script> `<b>` & "quoted"',
        parameters: [
          { name: '"><i>', in: 'query', schema: { type: 'string', pattern: '<u>' }, example: '<s>' },
        ],
        responses: {
          '200': {
            description: '<em>',
            content: { '<p>': { schema: { $ref: '#/components/schemas/Loop' } } },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      Rate: rate,
      Problem: problem,
      Loop: { type: 'object', properties: { again: { $ref: '#/components/schemas/Loop' } } },
    },
    responses: { NotFound: { description: 'A place is not known', content: problemContent } },
    parameters: {
      Key: {
        name: 'Idempotency-Key',
        in: 'header',
        required: true,
        schema: { type: 'string', maxLength: 200 },
      },
    },
  },
};
