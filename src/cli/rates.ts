/** `fairway rates`: asks the service over HTTP about one lane or several, prints tables with a bar per day, CSV or JSON. */
import { FairwayError } from '../errors.js';
import { print, serviceOf, type ServiceFlags } from './ask-service.js';
import { ask, download, jsonBody, type Service, type ServiceRequest } from './client.js';
import type { Context } from './context.js';
import { readLanes, type Lane } from './lanes.js';
import { wholeNumber } from './numbers.js';
import { ratesTable, type RateLine } from './rates-table.js';

export interface RatesFlags extends ServiceFlags {
  from: string;
  to: string;
  /** Further lanes, each FROM:TO. */
  lane: string[];
  /** A file of lanes, or - for standard input. */
  lanes?: string;
  /** Names with commas between them. */
  stats?: string;
  /** Revisions. */
  asOf?: string;
  minRevision?: string;
  format?: 'table' | 'csv' | 'json';
  csv?: boolean;
}

/** Throws `usage`, `file_unreadable`, and what the service answers. */
export async function runRates(context: Context, ends: readonly string[], flags: RatesFlags): Promise<void> {
  const lanes = await readLanes(ends, flags);
  const service = serviceOf(context, flags);
  const asked = { lanes, single: flags.lane.length === 0 && flags.lanes === undefined, flags };
  const format = flags.format ?? (flags.json ? 'json' : flags.csv ? 'csv' : 'table');
  if (format === 'table') return printTables(context, service, asked);
  const csv = format === 'csv';
  // Lines end as they do here, not as on the wire.
  const write = (chunk: Buffer): Promise<void> =>
    print(context, csv ? chunk.toString('latin1').replaceAll('\r', '') : chunk);
  await download(service, requestOf(asked, format), write);
  if (!csv) await print(context, '\n');
}

interface Asked {
  lanes: readonly Lane[];
  /** Of one lane GET /rates is asked, whose answer names no lane. */
  single: boolean;
  flags: RatesFlags;
}

const highest = 999_999_999_999;

function requestOf({ lanes, single, flags }: Asked, format: 'csv' | 'json'): ServiceRequest {
  const { from, to, stats, asOf, minRevision } = flags;
  const revisions = {
    ...(asOf === undefined ? {} : { as_of: wholeNumber('--as-of', asOf, 0, highest) }),
    ...(minRevision === undefined
      ? {}
      : { min_revision: wholeNumber('--min-revision', minRevision, 0, highest) }),
  };
  const questions = lanes.map((lane) => ({ date_from: from, date_to: to, ...lane }));
  if (!single) {
    const body = { questions, ...(stats === undefined ? {} : { stats: stats.split(',') }), ...revisions };
    return {
      method: 'POST',
      path: `/rates/query?format=${format}`,
      headers: { 'content-type': 'application/json' },
      body: jsonBody(body),
    };
  }
  const [question] = questions;
  const query = new URLSearchParams({ ...question, ...(stats === undefined ? {} : { stats }), format });
  for (const [name, revision] of Object.entries(revisions)) query.set(name, String(revision));
  return { path: `/rates?${query.toString()}` };
}

async function printTables(context: Context, service: Service, asked: Asked): Promise<void> {
  const answer = await ask(service, requestOf(asked, 'json'));
  const { stdout, env } = context;
  const columns = stdout.isTTY ? stdout.columns : 80;
  const colour = stdout.isTTY && !env['NO_COLOR'];
  const tables = asked.single
    ? [answer as { rates: RateLine[] }]
    : (answer as { answers: { rates: RateLine[] }[] }).answers;
  for (const [index, { rates }] of tables.entries()) {
    const { origin, destination } = asked.lanes[index] ?? noLane();
    const heading = asked.single ? '' : `${index === 0 ? '' : '\n'}${origin} to ${destination}\n`;
    await print(context, heading + ratesTable(rates, columns, colour));
  }
}

const noLane = (): never => {
  throw new FairwayError('internal_error', 'the service answered about more lanes than were asked for');
};
