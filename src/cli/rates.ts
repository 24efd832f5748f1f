/** `fairway rates`: asks the service over HTTP, prints a table with a bar per day, CSV or JSON. */
import { configure, type Context } from './context.js';
import { catalogue, FairwayError, messageOf, type ErrorCode, type ParameterFault } from '../errors.js';
import { ratesTable } from './rates-table.js';

export interface RatesFlags {
  origin: string;
  destination: string;
  from: string;
  to: string;
  url?: string;
  json?: boolean;
  csv?: boolean;
}

export interface RateLine {
  count: number | null;
  day: string;
  price: number | null;
}

const answerMilliseconds = 30_000;

export async function runRates(context: Context, flags: RatesFlags): Promise<void> {
  const { config } = configure(context, flags.url === undefined ? {} : { url: flags.url });
  const query = new URLSearchParams({
    date_from: flags.from,
    date_to: flags.to,
    origin: flags.origin,
    destination: flags.destination,
  });
  const answer = await ask(config.url, `/rates?${query.toString()}`);
  const { stdout } = context;
  if (flags.json) stdout.write(`${JSON.stringify(answer)}\n`);
  else if (flags.csv) stdout.write(csv(answer.rates));
  else
    stdout.write(
      ratesTable(answer.rates, stdout.isTTY ? stdout.columns : 80, stdout.isTTY && !context.env['NO_COLOR']),
    );
}

async function ask(url: string, path: string): Promise<{ rates: RateLine[] }> {
  let response: Response;
  try {
    response = await fetch(url + path, { signal: AbortSignal.timeout(answerMilliseconds) });
  } catch (error) {
    const reason =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new FairwayError(
      'service_unreachable',
      `no answer from ${url} (${reason}); is it running? 'npm start' starts it, FAIRWAY_URL names another`,
      { cause: error },
    );
  }
  const body = (await response.json().catch(() => undefined)) as
    { rates?: RateLine[]; code?: string; detail?: string; errors?: ParameterFault[] } | undefined;
  if (response.ok && body?.rates) return { rates: body.rates };
  if (body?.code !== undefined && Object.hasOwn(catalogue, body.code)) {
    throw new FairwayError(
      body.code as ErrorCode,
      body.detail ?? body.code,
      body.errors ? { faults: body.errors } : {},
    );
  }
  throw new FairwayError(
    response.status >= 500 ? 'service_unreachable' : 'bad_request',
    `${url} answered ${response.status} and nothing that Fairway knows; is that Fairway?`,
  );
}

const csv = (rates: readonly RateLine[]): string =>
  `day,price,count\n${rates.map(({ day, price, count }) => `${day},${price ?? ''},${count ?? 0}\n`).join('')}`;
