/** The part of the contract that is about many questions at once. */
import { Type } from 'typebox';
import { statisticNames } from '../query/statistics/definitions.js';
import {
  askerSecurity,
  away,
  needsKey,
  nullable,
  orCsv,
  problems,
  revision,
  spent,
} from './contract-shapes.js';

/** Questions in one request at the most, and days of all of them together. */
export const mostQuestions = 1_000;
export const mostDays = 400_000;

/** A rate of a day, with whatever statistics were asked for. */
export const rate = Type.Object(
  {
    count: nullable(Type.Integer(), 'Items of the day; null for none'),
    day: Type.String({ format: 'date' }),
    price: nullable(Type.Number(), 'Average price; null below three items'),
  },
  {
    description: `Also a member for each statistic asked for (${statisticNames.join(', ')}): a number, or null below three items`,
  },
);

export const statistics = Type.Optional(
  Type.String({
    description: `Statistics of each day's prices, between commas: ${statisticNames.join(', ')}. Exact, from the stored prices; percentiles are linear between the closest ranks, as PostgreSQL's percentile_cont`,
    examples: ['median,p25,p75'],
  }),
);

export const format = (...names: string[]) =>
  Type.Optional(Type.String({ enum: names, description: 'Goes over Accept' }));

const end = (example: string) => Type.Optional(Type.String({ examples: [example] }));

const question = Type.Object(
  {
    date_from: Type.String({ format: 'date', examples: ['2021-01-01'] }),
    date_to: Type.String({ format: 'date', examples: ['2021-01-31'] }),
    origin: end('CNGGZ'),
    destination: end('north_europe'),
    orig_code: end('CNGGZ'),
    dest_code: end('EETLL'),
  },
  { additionalProperties: false, description: 'As GET /rates takes it' },
);

const answer = Type.Object(
  { rates: Type.Array(rate) },
  { description: 'The question as it was asked, and its rates, newest first' },
);

export const queryRoutes = {
  ratesQuery: {
    method: 'POST',
    url: '/rates/query',
    schema: {
      operationId: 'ratesQuery',
      tags: ['Rates'],
      security: askerSecurity,
      summary: 'Rates of many lanes and ranges, all of one revision',
      description: `Up to ${mostQuestions} questions, each as GET /rates takes it, ${mostDays} days in all. Answers come in the order of the questions, streamed: as one JSON document, as NDJSON (a line each) or as CSV (a line per day). \`Rates-Revision\` names the one revision of all of them.`,
      querystring: Type.Object({ format: format('json', 'ndjson', 'csv') }, { additionalProperties: false }),
      body: Type.Object(
        {
          questions: Type.Array(question, { minItems: 1, maxItems: mostQuestions }),
          stats: Type.Optional(
            Type.Array(Type.String(), { description: 'Statistics, as GET /rates has them' }),
          ),
          as_of: Type.Optional(Type.Integer({ minimum: 0 })),
          min_revision: Type.Optional(Type.Integer({ minimum: 0 })),
        },
        { additionalProperties: false },
      ),
      response: {
        200: orCsv({
          description: 'Answers, in the order of the questions',
          content: {
            'application/json': { schema: Type.Object({ revision, answers: Type.Array(answer) }) },
            'application/x-ndjson': { schema: Type.String({ description: 'An answer a line' }) },
          },
        }),
        ...problems({
          400: 'A question is not valid, or too much is asked for at once',
          404: 'There is no such place',
          415: 'The body is packed, or no JSON',
          429: spent,
          ...needsKey,
          ...away,
        }),
      },
    },
  },
} as const;
