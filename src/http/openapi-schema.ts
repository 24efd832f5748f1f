/** Schemas of an OpenAPI document in words: in goes a JSON Schema, out come its type as a reader says it and its shape as lines of text. Pure. */

/** The part of JSON Schema that contracts use. */
export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  format?: string;
  enum?: readonly unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  examples?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  nullable?: boolean;
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  additionalProperties?: boolean | Schema;
}

/** What `$ref`s lead to: the value at a pointer such as #/components/schemas/Rate. */
export type Resolve = <Value extends object>(value: Value) => Value;

/** A document's resolver. A reference that leads nowhere, or in circles, stays what it is. */
export function resolver(document: object): Resolve {
  return <Value extends object>(value: Value): Value => {
    let current: object = value;
    for (let steps = 0; steps < 8 && '$ref' in current && typeof current.$ref === 'string'; steps++) {
      const target = at(document, current.$ref);
      if (target === undefined) return current as Value;
      current = target;
    }
    return current as Value;
  };
}

function at(document: object, pointer: string): object | undefined {
  if (!pointer.startsWith('#/')) return undefined;
  let value: unknown = document;
  for (const key of pointer.slice(2).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** The type as one says it: `integer or null`, `list of string`, `"csv" or "json"`. */
export function typeWords(given: Schema, resolve: Resolve): string {
  const schema = resolve(given);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => typeWords(choice, resolve)))].join(' or ');
  const names = typeof schema.type === 'string' ? [schema.type] : [...(schema.type ?? [])];
  if (schema.nullable) names.push('null');
  const words = names.map((name) => {
    if (name === 'array') return `list of ${schema.items ? typeWords(schema.items, resolve) : 'anything'}`;
    return name === 'string' && schema.format ? `string (${schema.format})` : name;
  });
  return words.join(' or ') || (schema.properties || schema.allOf ? 'object' : 'anything');
}

/** Limits as words: `1 to 100`, `at most 80 characters`, `default 10`. */
export function limitWords({ minimum, maximum, maxLength, pattern, default: fallback }: Schema): string {
  const words: string[] = [];
  if (minimum !== undefined && maximum !== undefined) words.push(`${minimum} to ${maximum}`);
  else if (minimum !== undefined) words.push(`at least ${minimum}`);
  else if (maximum !== undefined) words.push(`at most ${maximum}`);
  if (maxLength !== undefined) words.push(`at most ${maxLength} characters`);
  if (pattern !== undefined) words.push(`as ${pattern}`);
  if (fallback !== undefined) words.push(`default ${JSON.stringify(fallback)}`);
  return words.join(', ');
}

const deepest = 6;

/** The shape of a value as lines: names, types, and descriptions as comments. */
export function shapeLines(given: Schema, resolve: Resolve, depth = 0): string[] {
  const schema = merged(resolve(given), resolve);
  const indent = '  '.repeat(depth + 1);
  if (depth >= deepest) return ['…'];
  if (schema.properties) {
    const lines = ['{'];
    for (const [name, property] of Object.entries(schema.properties)) {
      const optional = schema.required?.includes(name) ? '' : '?';
      const [first = '', ...rest] = shapeLines(property, resolve, depth + 1);
      const description = resolve(property).description;
      const comment = description ? `  // ${description.replaceAll(/\s+/g, ' ')}` : '';
      lines.push(`${indent}${name}${optional}: ${first}${comment}`, ...rest);
    }
    return [...lines, `${'  '.repeat(depth)}}`];
  }
  if (schema.type === 'array' && schema.items) {
    const [first = '', ...rest] = shapeLines(schema.items, resolve, depth);
    if (rest.length === 0) return [typeWords(schema, resolve)];
    return [`[${first}`, ...rest.slice(0, -1), `${rest.at(-1)}, …]`];
  }
  if (typeof schema.additionalProperties === 'object') {
    const [first = '', ...rest] = shapeLines(schema.additionalProperties, resolve, depth);
    return [`by name: ${first}`, ...rest];
  }
  return [typeWords(schema, resolve)];
}

/** The parts of an `allOf` as one object. */
function merged(schema: Schema, resolve: Resolve): Schema {
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map((part) => merged(resolve(part), resolve));
  return {
    ...schema,
    properties: Object.assign({}, schema.properties, ...parts.map((part) => part.properties)) as Record<
      string,
      Schema
    >,
    required: [...(schema.required ?? []), ...parts.flatMap((part) => part.required ?? [])],
  };
}
