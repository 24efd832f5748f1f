/** The service as the page sees it: a question becomes a request, an answer or a failure comes back. No DOM. */

/** @typedef {{origin: string, destination: string, date_from: string, date_to: string}} Question */
/** @typedef {{count: number | null, day: string, price: number | null}} Rate */
/** @typedef {{kind: string, code: string, name: string}} Suggestion */
/** @typedef {{parameter: string, message: string, expected?: string, suggestions?: Suggestion[]}} Fault */
/** @typedef {{rates: Rate[], revision: string | null}} Answer `rates` with the oldest day first. */
/** @typedef {{kind: 'port' | 'region', code: string, name: string, parent: string | null}} Place */

/** @type {readonly (keyof Question)[]} */
export const parameters = ['origin', 'destination', 'date_from', 'date_to'];

/** What the service, or the way to it, answered instead of rates. `faults` belong to parameters. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {Fault[]} [faults]
   * @param {boolean} [needsKey] the service answers none without an API key that it knows
   */
  constructor(message, faults = [], needsKey = false) {
    super(message);
    this.faults = faults;
    this.needsKey = needsKey;
  }
}

const keyName = 'fairway-api-key';

/** Shown with every question from now on, in this tab. @param {string} key */
export const showKey = (key) => sessionStorage.setItem(keyName, key);

export const showsKey = () => sessionStorage.getItem(keyName) !== null;

/** @returns {Record<string, string>} */
function headers() {
  const key = sessionStorage.getItem(keyName);
  return { accept: 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
}

/** @param {Question} question */
export const queryOf = (question) =>
  new URLSearchParams(parameters.map((name) => [name, question[name].trim()])).toString();

/**
 * Throws a Failure, or an AbortError where the signal says so.
 *
 * @param {Question} question
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function askRates(question, signal) {
  const response = await request(`/rates?${queryOf(question)}`, signal);
  if (!response.ok) throw await failureOf(response);
  try {
    const body = /** @type {{rates: Rate[]}} */ (await response.json());
    return { rates: body.rates.toReversed(), revision: response.headers.get('rates-revision') };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Failure('The answer broke off on its way. Please try again.');
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function request(url, signal) {
  try {
    return await fetch(url, { signal, headers: headers() });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Failure(
      'No answer from the service: it is not running, or the network is down. Please try again.',
    );
  }
}

/** @param {Response} response */
async function failureOf(response) {
  /** @type {{detail?: string, title?: string, errors?: Fault[], request_id?: string}} */
  const problem = await response.json().catch(() => ({}));
  const said = problem.detail ?? problem.title ?? '';
  if (response.status === 503) {
    return new Failure(`The service cannot answer just now${said && `: ${said}`}. Please try again shortly.`);
  }
  if (response.status >= 500) {
    const id = problem.request_id ? ` Its log has this request as ${problem.request_id}.` : '';
    return new Failure(`Something went wrong inside the service.${id}`);
  }
  if (response.status === 401 && !showsKey())
    return new Failure('Rates are shown here to those who have an API key.', [], true);
  const message = said || `The service answered with status ${response.status}.`;
  return new Failure(message, problem.errors ?? [], response.status === 401);
}

/**
 * Ports and regions whose code, or a word of whose name, starts with the text. Empty where the service has no answer:
 * a field without suggestions still works.
 *
 * @param {string} text
 * @param {AbortSignal} [signal]
 * @returns {Promise<Place[]>}
 */
export async function searchPlaces(text, signal) {
  if (text === '') return [];
  const query = new URLSearchParams({ search: text, limit: '10' });
  const [ports, regions] = await Promise.all([
    listOf(`/ports?${query}`, 'ports', signal),
    listOf(`/regions?${query}`, 'regions', signal),
  ]);
  const places = [
    ...ports.map((port) => toPlace('port', port)),
    ...regions.map((region) => toPlace('region', region)),
  ];
  const exact = text.toLowerCase();
  // What was typed in full comes first; else ports before regions, as the service sorts them.
  return places.sort((one, other) => Number(isCode(other, exact)) - Number(isCode(one, exact)));
}

/** @param {Place} place @param {string} lower */
const isCode = (place, lower) => place.code.toLowerCase() === lower;

/**
 * @param {'port' | 'region'} kind
 * @param {{code?: string, slug?: string, name?: string | null, parent?: string | null}} entry
 * @returns {Place}
 */
const toPlace = (kind, entry) => {
  const code = entry.code ?? entry.slug ?? '';
  return { kind, code, name: entry.name ?? code, parent: entry.parent ?? null };
};

/**
 * @param {string} url
 * @param {string} key
 * @param {AbortSignal | undefined} signal
 */
async function listOf(url, key, signal) {
  try {
    const response = await fetch(url, { headers: headers(), ...(signal && { signal }) });
    if (!response.ok) return [];
    const body = await response.json();
    return Array.isArray(body[key]) ? body[key] : [];
  } catch {
    return [];
  }
}

/**
 * The place that a value names, where the service knows it.
 *
 * @param {string} value
 */
export async function findPlace(value) {
  const places = await searchPlaces(value);
  return places.find((place) => place.code === value);
}
