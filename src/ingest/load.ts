/**
 * Loading: in go packed segments, out goes one binary COPY into fairway.segments. What is loaded stays hidden until
 * its attempt is published.
 */
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { restsBetween, type Pace } from '../pace.js';
import { segmentFormat } from '../segment.js';
import type { Segment } from './pack.js';
import { copySegments } from './sql.js';

// Source: PostgreSQL documentation, COPY, "Binary Format".
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);
/** Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from. */
const postgresEpoch = 10_957;
const fixedBytes = 2 + 8 * 4 + 4 + 8 + 4 + 4 + 4 + 4 + 2;
const fullChunkBytes = 1 << 18;
/** Where it rests, PostgreSQL gets less at once. */
const pacedChunkBytes = 1 << 16;
/** All rests of one COPY: a transaction is open meanwhile. */
const longestRests = 700;

/** Copies the segments of one part; `laneIds` gives the database's id of each lane number. */
export async function loadSegments(
  client: ClientBase,
  owner: { attempt: string; part: number },
  segments: Iterable<Segment>,
  laneIds: ArrayLike<number>,
  pace?: Pace,
): Promise<void> {
  const chunkBytes = (): number => (!pace || pace.fullSpeed ? fullChunkBytes : pacedChunkBytes);
  const rows = encode(owner, segments, laneIds, chunkBytes);
  await pipeline(pace ? paced(rows, pace) : rows, client.query(copyFrom(copySegments)));
}

/** Rests after each chunk. */
async function* paced(chunks: Iterable<Buffer>, pace: Pace): AsyncGenerator<Buffer> {
  const rest = restsBetween(pace, longestRests);
  for (const chunk of chunks) {
    yield chunk;
    await rest();
  }
}

function* encode(
  owner: { attempt: string; part: number },
  segments: Iterable<Segment>,
  laneIds: ArrayLike<number>,
  chunkBytes: () => number,
): Generator<Buffer> {
  yield signature;
  let chunk = Buffer.allocUnsafe(chunkBytes());
  let at = 0;
  for (const segment of segments) {
    if (at + fixedBytes + segment.payload.length > chunk.length) {
      yield chunk.subarray(0, at);
      chunk = Buffer.allocUnsafe(chunkBytes());
      at = 0;
    }
    at = writeRow(chunk, at, owner, segment, laneIds[segment.lane] ?? 0);
  }
  yield chunk.subarray(0, at);
  yield trailer;
}

function writeRow(
  chunk: Buffer,
  start: number,
  owner: { attempt: string; part: number },
  segment: Segment,
  laneId: number,
): number {
  let at = chunk.writeInt16BE(8, start);
  const int32 = (value: number): void => {
    at = chunk.writeInt32BE(4, at);
    at = chunk.writeInt32BE(value, at);
  };
  int32(laneId);
  at = chunk.writeInt32BE(8, at);
  at = chunk.writeBigInt64BE(BigInt(owner.attempt), at);
  int32(owner.part);
  int32(segment.firstDay - postgresEpoch);
  int32(segment.lastDay - postgresEpoch);
  int32(segment.items);
  at = chunk.writeInt32BE(2, at);
  at = chunk.writeInt16BE(segmentFormat, at);
  at = chunk.writeInt32BE(segment.payload.length, at);
  return at + segment.payload.copy(chunk, at);
}
