// Options of drills: whole numbers with bounds, so that a slip of the finger starts no load of days.
import { parseArgs } from 'node:util';

/**
 * @param {string[]} words
 * @param {Record<string, { fallback: number, most: number, least?: number }>} numbers
 * @param {Record<string, string[]>} [choices] what an option may say; the first is what it says when left out
 * @param {string[]} [flags]
 */
export function readOptions(words, numbers, choices = {}, flags = []) {
  const names = [...Object.keys(numbers), ...Object.keys(choices)];
  const { values } = parseArgs({
    args: words,
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean', default: false }])),
      json: { type: 'boolean', default: false },
      keep: { type: 'string' },
      'go-on': { type: 'boolean', default: false },
    },
  });
  /** @type {Record<string, any>} */
  const read = { json: values.json, keep: values.keep, goOn: values['go-on'] };
  for (const name of flags) read[name] = values[name];
  for (const [name, { fallback, most, least = 1 }] of Object.entries(numbers)) {
    const text = values[name] ?? String(fallback);
    const number = Number(text);
    if (!/^[0-9]+$/.test(String(text)) || number < least || number > most)
      throw wrongUse(`--${name}: a whole number from ${least} to ${most}, not '${text}'`);
    read[name] = number;
  }
  for (const [name, allowed] of Object.entries(choices)) {
    const text = values[name] ?? allowed[0];
    if (!allowed.includes(String(text)))
      throw wrongUse(`--${name}: one of ${allowed.join(', ')}, not '${text}'`);
    read[name] = text;
  }
  return read;
}

/** @param {string} message */
export const wrongUse = (message) => Object.assign(new Error(message), { wrongUse: true });
