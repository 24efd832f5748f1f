/** What an answer is sent as: in go what the request says it takes, out come a format and an encoding. Pure. Source: RFC 9110, 12.4 and 12.5. */
import { FairwayError } from '../errors.js';

export type AnswerFormat = 'json' | 'ndjson' | 'csv';

export const mediaTypes: Record<AnswerFormat, string> = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};

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
  for (const type of weighted(accept)) {
    const wanted = type === '*/*' ? offered[0] : formatOfType[type];
    if (isOffered(wanted)) return wanted;
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
  for (const name of weighted(acceptEncoding, ['br', 'gzip', 'x-gzip', 'identity'])) {
    if (name === 'br' || name === '*') return 'br';
    if (name === 'gzip' || name === 'x-gzip') return 'gzip';
    if (name === 'identity') return undefined;
  }
  return undefined;
}

/** Names of a list with weights, the heaviest first, then as in `order`, then as they came; those of weight 0 are left out. */
function weighted(list: string | undefined, order: readonly string[] = []): string[] {
  const named = (list ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
      const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
      return name !== '' && weight > 0 ? [{ name, weight }] : [];
    });
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return named.sort((a, b) => b.weight - a.weight || place(a.name) - place(b.name)).map(({ name }) => name);
}
