/** `fairway rates`: asks the service over HTTP, prints a table with a bar per day, CSV or JSON. */
import { ask } from './client.js';
import { configure, type Context } from './context.js';
import { ratesTable } from './rates-table.js';

export interface RatesFlags {
  origin: string;
  destination: string;
  from: string;
  to: string;
  /** A revision. */
  asOf?: string;
  url?: string;
  json?: boolean;
  csv?: boolean;
}

export interface RateLine {
  count: number | null;
  day: string;
  price: number | null;
}

export async function runRates(context: Context, flags: RatesFlags): Promise<void> {
  const { config } = configure(context, flags.url === undefined ? {} : { url: flags.url });
  const query = new URLSearchParams({
    date_from: flags.from,
    date_to: flags.to,
    origin: flags.origin,
    destination: flags.destination,
    ...(flags.asOf === undefined ? {} : { as_of: flags.asOf }),
  });
  const path = `/rates?${query.toString()}`;
  const answer = (await ask({ url: config.url }, { path })) as { rates: RateLine[] };
  const { stdout } = context;
  if (flags.json) stdout.write(`${JSON.stringify(answer)}\n`);
  else if (flags.csv) stdout.write(csv(answer.rates));
  else
    stdout.write(
      ratesTable(answer.rates, stdout.isTTY ? stdout.columns : 80, stdout.isTTY && !context.env['NO_COLOR']),
    );
}

const csv = (rates: readonly RateLine[]): string =>
  `day,price,count\n${rates.map(({ day, price, count }) => `${day},${price ?? ''},${count ?? 0}\n`).join('')}`;
