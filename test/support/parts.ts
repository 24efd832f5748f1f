/** Batches in parts, as tests send them: over HTTP, to whichever server. */
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Response } from 'light-my-request';
import type { PartUpload } from '../../src/ingest/parted/context.js';
import type { Server } from '../../src/http/server.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { contextOf, type BatchTest, type BatchTestOptions } from './batches.js';
import { withServer } from './server.js';

export const digestOf = (body: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

/** The same for whoever speaks no HTTP. */
export const partOf = (batch: string, part: number, body: string): PartUpload => ({
  caller: { key: null, all: true },
  batch,
  part,
  format: 'csv',
  encoding: 'identity',
  digest: createHash('sha256').update(body).digest(),
});

export interface Sender {
  server: Server;
  secret?: string;
}

const authorization = ({ secret }: Sender): Record<string, string> =>
  secret === undefined ? {} : { authorization: `Bearer ${secret}` };

export const open = (
  sender: Sender,
  { key, query = '', body = { parts: true } }: { key?: string; query?: string; body?: object } = {},
): Promise<Response> =>
  sender.server.inject({
    method: 'POST',
    url: `/batches${query}`,
    payload: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...authorization(sender),
    },
  });

/** The number of a batch that was opened now. */
export async function opened(sender: Sender, key?: string, query?: string): Promise<string> {
  const answer = await open(sender, {
    ...(key === undefined ? {} : { key }),
    ...(query === undefined ? {} : { query }),
  });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json<{ id: string }>().id;
}

export const put = (
  sender: Sender,
  batch: string,
  part: number | string,
  body: string | Buffer | PassThrough,
  headers: Record<string, string> = {},
): Promise<Response> =>
  sender.server.inject({
    method: 'PUT',
    url: `/batches/${batch}/parts/${part}`,
    payload: body,
    headers: {
      'content-type': 'text/csv',
      ...(body instanceof PassThrough ? {} : { 'content-digest': digestOf(body) }),
      ...authorization(sender),
      ...headers,
    },
  });

export const publish = (sender: Sender, batch: string, parts: number, items: number): Promise<Response> =>
  sender.server.inject({
    method: 'POST',
    url: `/batches/${batch}/publish`,
    payload: { parts, items },
    headers: authorization(sender),
  });

export const list = (sender: Sender, batch: string, query = ''): Promise<Response> =>
  sender.server.inject({ url: `/batches/${batch}/parts${query}`, headers: authorization(sender) });

export const giveUp = (sender: Sender, batch: string): Promise<Response> =>
  sender.server.inject({ method: 'DELETE', url: `/batches/${batch}`, headers: authorization(sender) });

/** A second server on the database of the first, with a pool's share and slots of its own. */
export const besides = (
  test: BatchTest,
  work: (server: Server) => Promise<void>,
  { limits, itemsPerPart, ...options }: BatchTestOptions = {},
): Promise<void> =>
  withServer(test, work, { uploads: new Uploads(contextOf(test, limits, itemsPerPart)), ...options });

/** Items of the day that a question finds, by its count. */
export async function counted(server: Server): Promise<number> {
  const answer = await server.inject({
    url: '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB',
  });
  return answer.json<{ rates: [{ count: number | null }] }>().rates[0].count ?? 0;
}

/** Everything that uploads leave in the tables, apart from the import of the places. */
export const left = ({ query }: BatchTest) =>
  query(
    `select (select count(*)::integer from fairway.batches where source = 'upload') as batches,
       (select count(*)::integer from fairway.attempts a where exists (select from fairway.batches b where b.id = a.batch and b.source = 'upload')) as attempts,
       (select count(*)::integer from fairway.parts) as parts, (select count(*)::integer from fairway.segments) as segments`,
  );
export const nothing = [{ batches: 0, attempts: 0, parts: 0, segments: 0 }];
