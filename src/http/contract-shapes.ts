/** What the routes of the contract share: problems, answers, small shapes. */
import { Type, type Static, type TSchema } from 'typebox';

/** RFC 9457, with the code of the catalogue and a fault per parameter. */
export const problem = Type.Object(
  {
    type: Type.String({ description: 'urn:fairway:error:CODE' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong and what to do' }),
    code: Type.String({ description: 'As listed in docs/errors.md' }),
    request_id: Type.String({ description: 'The log has the request under this id' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          parameter: Type.String(),
          message: Type.String(),
          expected: Type.String(),
          value: Type.Optional(Type.String()),
          suggestions: Type.Optional(
            Type.Array(Type.Object({ kind: Type.String(), code: Type.String(), name: Type.String() })),
          ),
        }),
      ),
    ),
  },
  { description: 'A problem document (RFC 9457)' },
);

export type Problem = Static<typeof problem>;

export const json = <Schema extends TSchema>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});

/** The same as text, where the request says so. */
export const orCsv = <Content extends object>(answer: { description: string; content: Content }) => ({
  ...answer,
  content: { ...answer.content, 'text/csv': { schema: Type.String() } },
});

export const problems = <Status extends number>(meanings: Record<Status, string>) =>
  Object.fromEntries(
    Object.entries<string>(meanings).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema: problem } } },
    ]),
  ) as Record<Status, object>;

/** Of questions: `FAIRWAY_READ_KEYS` says whether they take a key. */
export const askerSecurity = [{}, { key: [] }];
export const needsKey = { 401: 'This service answers questions with an API key alone' };

export const spent = 'This client has asked for its share; Retry-After says when to ask again';

export const away = {
  421: 'Another process does this: this one has the role read or ingest',
  503: 'The database is away, has not reached the revision, or there is too much to do; Retry-After says when to ask again',
};
export const nullable = <Schema extends TSchema>(schema: Schema, description: string) =>
  Type.Union([schema, Type.Null()], { description });

/** Which revision an answer is of. */
export const moment = {
  min_revision: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 999_999_999_999_999,
      description:
        'The answer is of this revision or a later one: whoever sends the newest `Rates-Revision` it has seen never goes back, whichever process answers. One that does not exist yet is a 400',
    }),
  ),
  as_of: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 999_999_999_999_999,
      description:
        'The answer as it was at this revision: what was withdrawn since is there, what came since is not, and places are those of then. One that does not exist yet is a 400, one that is no longer kept a 410',
    }),
  ),
};
export const gone = { 410: 'The revision is no longer kept; `oldest_revision` is the oldest that is' };

export const revision = Type.Integer({ description: 'Revision the answer belongs to' });
