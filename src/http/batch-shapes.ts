/** The shapes of batches in the contract. */
import { Type } from 'typebox';
import { nullable, problem } from './contract-shapes.js';

export const id = Type.String({ description: 'Number of the batch', examples: ['7'] });
export const batchId = Type.String({ pattern: '^[1-9][0-9]{0,17}$', description: 'Number of a batch' });
export const moment = (description: string) => Type.String({ format: 'date-time', description });
export const count = (description: string) => Type.Integer({ description });
const states = ['loading', 'published', 'rejected', 'withdrawn'] as const;
export const state = Type.Union(
  states.map((state) => Type.Literal(state)),
  { description: 'Of the batch' },
);
export const counts = Type.Record(Type.String(), Type.Integer(), { description: 'Faults by code' });

export const batchShape = {
  id,
  key: nullable(Type.String(), 'The Idempotency-Key it was sent with'),
  state,
  source: Type.String({ description: '`upload`, `sample`, or the dump that was imported' }),
  format: nullable(Type.String(), '`csv`, `ndjson` or `json`'),
  items: count('Items of it; 0 before the verdict'),
  lanes: count('Lanes they belong to'),
  bytes: nullable(Type.Integer(), 'Size of the body once decoded'),
  revision: nullable(Type.Integer(), 'Since when it is visible'),
  withdrawn_revision: nullable(Type.Integer(), 'Since when it no longer is'),
  replaces: nullable(Type.String(), 'The batch it took the place of'),
  replaced_by: nullable(Type.String(), 'The batch that took its place'),
  received_at: moment('When its upload began'),
  published_at: nullable(Type.String({ format: 'date-time' }), 'When it became visible'),
  purged_at: nullable(
    Type.String({ format: 'date-time' }),
    'When its items, long after it was withdrawn, or its faults, long after it was rejected, were removed',
  ),
  errors: count('Faults of a rejected batch, all of them'),
  error_counts: counts,
  parts: Type.Boolean({ description: 'Whether it comes in parts' }),
  expires_at: nullable(
    Type.String({ format: 'date-time' }),
    'When an open one in parts is removed unless another part comes',
  ),
};

const warnings = Type.Optional(
  Type.Array(
    Type.Object({
      code: Type.String({ description: '`same_content`' }),
      message: Type.String(),
      batch: Type.String({ description: 'The batch that is meant' }),
    }),
  ),
);
export const batch = Type.Object({ ...batchShape, warnings });

export const fault = Type.Object({
  line: count('Physical line from 1; in a JSON array the number of the item'),
  column: count('Character from 1'),
  field: nullable(Type.String(), 'Name of the column'),
  code: Type.String({ description: 'As listed in docs/errors.md' }),
  message: Type.String(),
  value: nullable(Type.String(), 'What stands there, cut at 80 characters'),
});

const move = Type.Object({
  orig_code: Type.String(),
  dest_code: Type.String(),
  day: Type.String({ format: 'date' }),
  before: Type.Number({ description: 'Average now' }),
  after: Type.Number({ description: 'Average if it were published' }),
});

export const check = Type.Object({
  dry_run: Type.Literal(true),
  items: count('Items it has'),
  lanes: count('Lanes touched'),
  days: count('Days touched'),
  lane_days: nullable(Type.Integer(), 'Days of lanes touched; null above 500,000'),
  lanes_compared: count('Lanes, those with the most items first, whose averages were compared'),
  moves: Type.Array(move, { description: 'The largest moves of the average, where it is known before' }),
});

export const rejection = Type.Intersect([
  Type.Omit(problem, ['errors']),
  Type.Object({
    batch: Type.Optional(Type.Object(batchShape)),
    errors: Type.Array(fault, { description: 'The first 100' }),
    error_counts: counts,
    error_total: count('All of them'),
    errors_url: Type.Optional(Type.String({ description: 'Where the full list is, up to 100,000' })),
  }),
]);
