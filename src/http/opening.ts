/**
 * What opens a batch in parts comes to the address that whole batches come to: in goes a body, out comes the opening, or
 * the body as it was. A small JSON object with a member `parts` opens; a batch is an array, or has `prices`.
 */
import type { BatchFormat } from '../ingest/parse/upload.js';
import { opening } from './part-contract.js';
import { compileValidator } from './validator.js';

type Bytes = AsyncIterable<Uint8Array>;

const largestOpening = 1_024;

/** Throws what the validator finds. The body is the one of the wire, held to the limits of bodies. */
export async function splitOpening(
  body: Bytes,
): Promise<{ opening: { format?: BatchFormat } } | { body: Bytes }> {
  const chunks: Uint8Array[] = [];
  const iterator = body[Symbol.asyncIterator]();
  let bytes = 0;
  while (bytes <= largestOpening) {
    const next = await iterator.next();
    if (next.done) {
      const value = objectOf(Buffer.concat(chunks));
      return value && 'parts' in value ? { opening: checked(value) } : { body: again(chunks, iterator) };
    }
    chunks.push(next.value);
    bytes += next.value.length;
  }
  return { body: again(chunks, iterator) };
}

function objectOf(bytes: Buffer): object | undefined {
  if (bytes.length > largestOpening) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function* again(
  chunks: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

const validate = compileValidator({ schema: opening, httpPart: 'body', method: 'POST', url: '/batches' }) as {
  (value: unknown): boolean;
  errors?: unknown[] | null;
};

function checked(value: object): { format?: BatchFormat } {
  if (validate(value)) return value;
  throw Object.assign(new Error('this does not open a batch in parts'), {
    validation: validate.errors,
    validationContext: 'body',
  });
}
