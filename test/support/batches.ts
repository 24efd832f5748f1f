/** Small batches for tests, and a server that takes them. */
import type { InjectOptions, Response } from 'light-my-request';
import { importContent } from '../../src/ingest/import.js';
import { readUpload } from '../../src/ingest/parse/upload.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import type { UploadContext, UploadLimits } from '../../src/ingest/upload/context.js';
import { uploadLimits } from '../../src/ingest/upload/limits.js';
import type { Server, ServerOptions } from '../../src/http/server.js';
import { withDatabase, type TestDatabase } from './database.js';
import { anyRoom } from './disk.js';
import { dumpText, textSource } from './dump.js';
import { readWithParts } from './read-upload.js';
import { withServer } from './server.js';

export type Item = [origin: string, destination: string, day: string, price: number | string];

export const csv = (items: readonly Item[]): string =>
  `orig_code,dest_code,day,price\n${items.map((item) => `${item.join(',')}\n`).join('')}`;

/** So many items of the lane AAAAA, BBBBB on one day. */
export const itemsOf = (count: number, price = 100, day = '2022-01-01'): Item[] =>
  Array.from({ length: count }, () => ['AAAAA', 'BBBBB', day, price]);

/** Ports of test/support/dump.ts, without an item. */
export const importPlaces = (test: TestDatabase): Promise<unknown> =>
  importContent(test.database, textSource(dumpText({ prices: [] })));

/** `itemsPerPart`: so few that a small batch has several; without it the real reader, in its thread. */
export const contextOf = (
  test: TestDatabase,
  limits: Partial<UploadLimits> = {},
  itemsPerPart?: number,
): UploadContext => ({
  database: test.database,
  emit: test.emit,
  limits: uploadLimits(limits),
  disk: anyRoom,
  read: itemsPerPart === undefined ? readUpload : readWithParts(itemsPerPart),
});

export interface BatchTest extends TestDatabase {
  server: Server;
  readonly post: (body: InjectOptions['payload'], more?: PostOptions) => Promise<Response>;
}

export interface PostOptions {
  key?: string;
  secret?: string;
  query?: string;
  headers?: Record<string, string>;
}

export interface BatchTestOptions extends Partial<ServerOptions> {
  disk?: UploadContext['disk'];
  debt?: UploadContext['debt'];
  limits?: Partial<UploadLimits>;
  itemsPerPart?: number;
}

/** A database with places, and a server over it. */
export const withBatches = (
  work: (test: BatchTest) => Promise<void>,
  { limits, itemsPerPart, disk = anyRoom, debt, ...options }: BatchTestOptions = {},
): Promise<void> =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const uploads = new Uploads({ ...contextOf(test, limits, itemsPerPart), disk, debt });
    await withServer(
      test,
      async (server) => {
        const post: BatchTest['post'] = (payload, { key, secret, query = '', headers } = {}) =>
          server.inject({
            method: 'POST',
            url: `/batches${query}`,
            payload: payload as string,
            headers: {
              'content-type': 'text/csv',
              ...(key === undefined ? {} : { 'idempotency-key': key }),
              ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
              ...headers,
            },
          });
        await work({ ...test, server, post });
        await uploads.idle();
      },
      { uploads, ...options },
    );
  });
