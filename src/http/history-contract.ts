/** The part of the contract that is about revisions and what they changed. */
import { Type } from 'typebox';
import { askerSecurity, away, gone, needsKey, nullable, orCsv, problems, spent } from './contract-shapes.js';
import { format } from './query-contract.js';

/** How many revisions, and changes, where no limit is given. */
export const historyPages = { revisions: 100, changes: 10_000 };

const number = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 999_999_999_999_999, description });
const limit = (most: number, fallback: number, of: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: most,
      description: `At most so many ${of}; ${fallback} where not given`,
    }),
  );
const cursor = Type.Optional(
  Type.String({ maxLength: 80, description: '`next` of the answer before; go on from there' }),
);
const next = nullable(Type.String(), 'To be sent as `cursor`; null at the end');
const lines = {
  'application/x-ndjson': {
    schema: Type.String({ description: 'An object a line; the last has `revision` alone' }),
  },
};
const date = (description: string) => nullable(Type.String({ format: 'date' }), description);

const revision = Type.Object({
  revision: number('Its number'),
  made_at: Type.String({ format: 'date-time' }),
  reason: Type.String({ description: 'In words' }),
  kind: Type.Union(
    ['published', 'withdrawn', 'replaced', 'places'].map((kind) => Type.Literal(kind)),
    { description: '`replaced`: batches came and went at once. `places`: no item changed' },
  ),
  batches: Type.Array(
    Type.Object({
      batch: Type.String({ description: 'Number of the batch' }),
      change: Type.Union([Type.Literal('came'), Type.Literal('went')]),
      lanes: Type.Integer(),
      items: Type.Integer(),
      first_day: date('Of its items'),
      last_day: date('Of its items'),
    }),
  ),
  places: Type.Array(
    Type.Object({
      kind: Type.Union([Type.Literal('port'), Type.Literal('region')]),
      code: Type.String(),
      name: Type.String(),
      parent: nullable(Type.String(), 'Slug of the region it lies in'),
      change: Type.Union([Type.Literal('made'), Type.Literal('changed'), Type.Literal('removed')]),
    }),
  ),
});

const change = Type.Object({
  orig_code: Type.String(),
  dest_code: Type.String(),
  day: Type.String({ format: 'date' }),
  count: nullable(Type.Integer(), 'Items of the day now; null for none'),
  price: nullable(Type.Number(), 'Average price now; null below three items'),
});

export const historyRoutes = {
  revisions: {
    method: 'GET',
    url: '/revisions',
    schema: {
      operationId: 'revisions',
      tags: ['Time'],
      security: askerSecurity,
      summary: 'What each revision changed, the oldest first',
      description:
        'For those who follow along: `since` is the last revision you know, and the answers start with the one after it. `Accept: application/x-ndjson` streams all of them, whatever `limit`.',
      querystring: Type.Object(
        {
          since: Type.Optional(number('Revisions after this one; all where it is not given')),
          limit: limit(1_000, historyPages.revisions, 'revisions'),
          cursor,
        },
        { additionalProperties: false },
      ),
      response: {
        200: {
          description: 'Revisions',
          content: {
            'application/json': {
              schema: Type.Object({
                revisions: Type.Array(revision),
                revision: number('The newest there is'),
                next,
              }),
            },
            ...lines,
          },
        },
        ...problems({ 400: 'A parameter is not valid', ...needsKey, ...away }),
      },
    },
  },
  changes: {
    method: 'GET',
    url: '/rates/changes',
    schema: {
      operationId: 'changes',
      tags: ['Time'],
      security: askerSecurity,
      summary: 'Lanes and days whose rate moved between two revisions',
      description:
        'For those who keep a copy: put each entry in place of what the copy has for its lane and day, and the copy is that of `revision`; start with `since=0` and an empty one. Pages are of whole lanes, so one may have more entries than `limit`, and `next` keeps to the revision of the first page. `Accept: application/x-ndjson` streams all of it, whatever `limit`; the last line has the revision, and without it the answer is not whole. So does CSV (`format=csv` or `Accept: text/csv`), without such a line; a count of none is 0 there.',
      querystring: Type.Object(
        {
          since: number('The revision of your copy; 0 where you have none'),
          until: Type.Optional(number('The revision it shall have; the newest where it is not given')),
          limit: limit(100_000, historyPages.changes, 'changes, and up to the end of their lane'),
          format: format('json', 'ndjson', 'csv'),
          cursor,
        },
        { additionalProperties: false },
      ),
      response: {
        200: orCsv({
          description: 'Changes, lane by lane, by day',
          content: {
            'application/json': {
              schema: Type.Object({
                changes: Type.Array(change),
                since: number('As asked for'),
                revision: number('The revision that the copy has then'),
                next,
              }),
            },
            ...lines,
          },
        }),
        ...problems({ 400: 'A parameter is not valid', 429: spent, ...gone, ...needsKey, ...away }),
      },
    },
  },
} as const;
