/** The contract: the shapes that requests and answers have. Routes are declared with them. */
import { Type, type Static } from 'typebox';

const parameter = (description: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { description }));

export const ratesQuery = Type.Object({
  date_from: parameter('First day, YYYY-MM-DD'),
  date_to: parameter('Last day, YYYY-MM-DD, at most 4,000 days from the first'),
  orig_code: parameter('Code of the port of origin, case-sensitive'),
  dest_code: parameter('Code of the port of destination, case-sensitive'),
});

/** RFC 9457, with the code of the catalogue and a fault per parameter. */
export const problem = Type.Object({
  type: Type.String({ description: 'urn:fairway:error:CODE' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'As listed in docs/errors.md' }),
  request_id: Type.String(),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        parameter: Type.String(),
        message: Type.String(),
        expected: Type.String(),
        value: Type.Optional(Type.String()),
      }),
    ),
  ),
});

export type Problem = Static<typeof problem>;
