/**
 * How requests are held against the contract. What comes in an address is text, so `limit=10` counts as a number; what
 * comes as JSON has types of its own, and Fastify's default would read null as "" and 5 as "5".
 */
import { Ajv } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

/** What a date looks like is said by question.ts, with what was wrong about it. */
const options = { strict: false, allErrors: true, validateFormats: false } as const;
const ofAddress = new Ajv({ ...options, coerceTypes: true });
const ofBody = new Ajv({ ...options });

export const compileValidator: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? ofBody : ofAddress).compile(schema);
