/** Arrays as parameters of a statement: pg writes them out value by value, and an array of bytea byte by byte. Pure. */

/** As PostgreSQL reads an array of numbers. */
export const numbers = (values: readonly number[]): string => `{${values.join(',')}}`;

/** Needs no quotes; without them, what is unquoted and spells NULL would be null. */
const plain = /^(?!null$)[a-z0-9_]+$/i;

/** As PostgreSQL reads an array of texts, whatever is in them. */
export const texts = (values: readonly string[]): string =>
  values.every((value) => plain.test(value))
    ? `{${values.join(',')}}`
    : `{${values.map((value) => (/["\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : `"${value}"`)).join(',')}}`;

/** Payloads as one value, and where each lies in it, from 1; those that are null have no length. */
export function asOneValue(payloads: readonly (Buffer | null)[]): {
  starts: string;
  lengths: string;
  whole: Buffer;
} {
  const starts: number[] = [];
  let start = 1;
  for (const payload of payloads) {
    starts.push(start);
    start += payload?.length ?? 0;
  }
  return {
    starts: numbers(starts),
    lengths: numbers(payloads.map((payload) => payload?.length ?? 0)),
    whole: Buffer.concat(payloads.filter((payload) => payload !== null)),
  };
}
