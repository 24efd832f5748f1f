/** What an answer is sent as: in go what the request says it takes, out come a format and an encoding. Pure. Source: RFC 9110, 12.4 and 12.5. */
import { FairwayError } from '../errors.js';

export type AnswerFormat = 'json' | 'ndjson' | 'csv';

export const mediaTypes: Record<AnswerFormat, string> = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};

const typeOf = (format: AnswerFormat): string => mediaTypes[format].split(';')[0] ?? '';

const formatOfType: Record<string, AnswerFormat> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
};

/** The first of those offered unless another is asked for, by `format` or else by Accept. Throws `invalid_parameter`. */
export function chooseFormat<Offered extends AnswerFormat>(
  offered: readonly [Offered, ...Offered[]],
  format: string | undefined,
  accept: string | undefined,
): Offered {
  const isOffered = (name: string | undefined): name is Offered =>
    (offered as readonly (string | undefined)[]).includes(name);
  if (format !== undefined) {
    if (isOffered(format)) return format;
    const expected = `one of ${offered.join(', ')}`;
    throw new FairwayError('invalid_parameter', `format: '${format.slice(0, 80)}' is not ${expected}`, {
      faults: [
        { parameter: 'format', message: 'is none that there is', expected, value: format.slice(0, 80) },
      ],
    });
  }
  const { wanted, refused } = weighted(accept);
  for (const range of wanted) {
    const start = range === '*/*' ? '' : range.slice(0, -1);
    const found = range.endsWith('/*')
      ? offered.find((name) => typeOf(name).startsWith(start) && !refused.includes(typeOf(name)))
      : formatOfType[range];
    if (isOffered(found)) return found;
  }
  return offered[0];
}

export type Encoding = 'br' | 'gzip';

/** By what was asked: clients say the same few things each time. */
const chosen = new Map<string, Encoding | undefined>();
const mostChosen = 100;

/** What the client likes best of what we have; where it does not mind, the smaller one. */
export function chooseEncoding(acceptEncoding = ''): Encoding | undefined {
  if (chosen.has(acceptEncoding)) return chosen.get(acceptEncoding);
  const encoding = encodingOf(acceptEncoding);
  if (chosen.size < mostChosen && acceptEncoding.length < 200) chosen.set(acceptEncoding, encoding);
  return encoding;
}

function encodingOf(acceptEncoding: string): Encoding | undefined {
  const { wanted, refused } = weighted(acceptEncoding, ['br', 'gzip', 'x-gzip', 'identity']);
  for (const name of wanted) {
    if (name === '*') return (['br', 'gzip'] as const).find((encoding) => !refused.includes(encoding));
    if (name === 'br') return 'br';
    if (name === 'gzip' || name === 'x-gzip') return 'gzip';
    if (name === 'identity') return undefined;
  }
  return undefined;
}

/** Names of a list with weights, the heaviest first, then as in `order`, then as they came; those of weight 0 are refused. */
function weighted(
  list: string | undefined,
  order: readonly string[] = [],
): { wanted: string[]; refused: string[] } {
  const named = (list ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
      const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
      return name !== '' && weight >= 0 ? [{ name, weight }] : [];
    });
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  named.sort((a, b) => b.weight - a.weight || place(a.name) - place(b.name));
  const names = (some: typeof named): string[] => some.map(({ name }) => name);
  return {
    wanted: names(named.filter(({ weight }) => weight > 0)),
    refused: names(named.filter(({ weight }) => weight === 0)),
  };
}
