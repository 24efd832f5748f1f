/**
 * Near matches: in goes a text that nobody knows and what there is, out comes what may have been meant. Letters are
 * compared without accents and case. Pure.
 */
import { distance } from 'fastest-levenshtein';

/** A longer text is no misspelling of anything, and comparing it would cost. */
const longestGuess = 40;
const mostGuesses = 5;

/** A code and a name, folded; the name has a space in front, so that ` x` finds words that begin with x. */
export interface Folded {
  code: string;
  name: string;
}

export const foldedOf = (code: string, name: string): Folded => ({
  code: fold(code),
  name: ` ${fold(name)}`,
});

/** Those whose code or name is most like the text, the likest first; none where nothing is like it. */
export function nearest<Place>(
  text: string,
  candidates: Iterable<readonly [Place, Folded]>,
  among: (place: Place) => boolean = () => true,
): Place[] {
  const wanted = fold(text);
  if (wanted === '' || wanted.length > longestGuess) return [];
  const farthest = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length * 0.4));
  const ranked: { place: Place; far: number }[] = [];
  for (const [place, { code, name }] of candidates) {
    if (!among(place)) continue;
    const begins = wanted.length > 2 && (code.startsWith(wanted) || name.includes(` ${wanted}`));
    const far = begins ? 0.5 : Math.min(distance(wanted, code), distance(wanted, name.slice(1)));
    if (far <= farthest) ranked.push({ place, far });
  }
  return ranked
    .sort((a, b) => a.far - b.far)
    .slice(0, mostGuesses)
    .map(({ place }) => place);
}

/** Letters that Unicode does not take apart into a base letter and an accent. */
const letters: Record<string, string> = {
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  þ: 'th',
};

/** Lower case without accents; whatever is no letter and no digit becomes one space. */
export const fold = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[øđðłıæœßþ]/g, (letter) => letters[letter] ?? letter)
    .replace(/[^\p{Letter}\p{Number}]+/gu, ' ')
    .trim();
