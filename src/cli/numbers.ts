/** Numbers among the words of a command. */
import { FairwayError } from '../errors.js';

/** Throws `usage`, naming the word. */
export function wholeNumber(name: string, text: string, lowest: number, highest: number): number {
  if (!/^[0-9]{1,12}$/.test(text) || Number(text) < lowest || Number(text) > highest) {
    throw new FairwayError('usage', `${name}: '${text}' is not a whole number from ${lowest} to ${highest}`);
  }
  return Number(text);
}
