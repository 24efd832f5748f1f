/** Where a whole database of rates comes from: a dump's file, the sample, or tables that psql loaded. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { codeOf, FairwayError, messageOf } from '../errors.js';
import { writeSample } from '../sample/write.js';
import type { SampleOptions } from '../sample/generate.js';
import { DumpReader } from './parse/dump.js';
import { LineSplitter } from './parse/lines.js';
import { tableColumns, type TableName, type TableReader } from './parse/tables.js';
import { copyPublicTable } from './sql.js';

export interface Progress {
  bytes: number;
  /** Of the whole source, where it is known. */
  totalBytes: number | undefined;
}

export interface ContentSource {
  /** Recorded with the batch: `sample`, `dump` or `adopted`. */
  name: string;
  /** Reads everything into `reader`, awaiting `checkpoint` after each chunk of at most 1 MiB. */
  feed(reader: TableReader, checkpoint: () => Promise<void>): Promise<void>;
}

const chunkBytes = 1 << 18;

export function dumpFile(path: string, onProgress?: (progress: Progress) => void): ContentSource {
  return {
    name: 'dump',
    feed: async (reader, checkpoint) => {
      const totalBytes = path === '-' ? undefined : (await stat(path).catch(unreadable(path))).size;
      const input = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: chunkBytes });
      let bytes = 0;
      const report = async (chunk: Buffer): Promise<void> => {
        bytes += chunk.length;
        onProgress?.({ bytes, totalBytes });
        await checkpoint();
      };
      await pipeline(input, dumpSink(reader, report)).catch((error: unknown) => {
        throw codeOf(error) === 'EISDIR' ? unreadable(path)(error) : error;
      });
    },
  };
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    throw new FairwayError('file_unreadable', `${path}: ${messageOf(error)}`, { cause: error });
  };
}

export const sampleSource = (options: SampleOptions): ContentSource => ({
  name: 'sample',
  feed: async (reader, checkpoint) => {
    const text = new PassThrough();
    const written = writeSample(options, 'dump', text).then(() => text.end());
    await Promise.all([written, pipeline(text, dumpSink(reader, checkpoint))]);
  },
});

function dumpSink(reader: TableReader, afterChunk: (chunk: Buffer) => Promise<void>): Writable {
  const dump = new DumpReader(reader);
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        dump.write(chunk);
      } catch (error) {
        return done(error as Error);
      }
      afterChunk(chunk).then(() => done(), done);
    },
    final: (done) => {
      try {
        dump.end();
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** The tables public.ports, regions and prices, read over `client` in one snapshot. */
export const publicTables = (client: ClientBase): ContentSource => ({
  name: 'adopted',
  feed: async (reader, checkpoint) => {
    await client.query('begin isolation level repeatable read read only');
    try {
      for (const table of ['regions', 'ports', 'prices'] as const)
        await feedTable(client, table, reader, checkpoint);
    } finally {
      await client.query('rollback');
    }
  },
});

async function feedTable(
  client: ClientBase,
  table: TableName,
  reader: TableReader,
  checkpoint: () => Promise<void>,
): Promise<void> {
  const columns = tableColumns[table];
  const row = reader.rowReader(table, columns);
  let count = 0;
  const splitter = new LineSplitter((bytes, start, end) => {
    count++;
    try {
      row(bytes, start, end, count);
    } catch (error) {
      throw new FairwayError('dump_invalid', `public.${table}, row ${count}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  });
  for await (const chunk of client.query(copyTo(copyPublicTable(table, columns)))) {
    splitter.write(chunk as Buffer);
    await checkpoint();
  }
  splitter.end();
}
