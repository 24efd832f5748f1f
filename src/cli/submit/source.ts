/**
 * The file to submit: in goes its name, out comes something that can be read again from its start as often as a retry
 * needs. What cannot be read twice (standard input, a pipe) is first copied to a file that has no name any more, so
 * that it is gone however this process ends.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { codeOf, FairwayError, messageOf } from '../../errors.js';
import { formatOf, packingOf, unpackHead, type Format, type Packing } from './format.js';

export interface Source {
  /** As faults name it. */
  name: string;
  /** As the user wrote it. */
  path: string;
  size: number;
  format: Format;
  packing: Packing | undefined;
  /** The first bytes, as they are. */
  head: Buffer;
  /** Changes with the file; none for what is a copy of standard input. */
  changed: bigint | undefined;
  /** All bytes, or those of a range. `onBytes` sees each chunk as it goes. */
  read(onBytes: (chunk: Buffer) => void, range?: ByteRange): Readable;
  /** The bytes of the batch, unpacked where they are packed; `onPacked` is told how many of the file were read. */
  unpacked(onPacked?: (bytes: number) => void): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export interface ByteRange {
  from: number;
  to: number;
}

const headBytes = 1 << 16;
const chunkBytes = 1 << 17;

/** Throws `file_unreadable`, or `usage` where the format must be said. */
export async function openSource(path: string, format: Format | undefined): Promise<Source> {
  const { handle, size, changed } = await openAgain(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const head = Buffer.alloc(Math.min(headBytes, size));
    await handle.read(head, 0, head.length, 0);
    const packing = packingOf(head);
    const read: Source['read'] = (onBytes, range = { from: 0, to: size }) =>
      Readable.from(bytesOf(handle, path, range, onBytes), { objectMode: false });
    return {
      name: path === '-' ? 'stdin' : basename(path),
      path,
      size,
      format: format ?? recognised(path, head, packing),
      packing,
      head,
      changed,
      read,
      unpacked: (onPacked = () => undefined) =>
        unpack(
          read(({ length }) => onPacked(length)),
          path,
          packing,
        ),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function recognised(path: string, head: Buffer, packing: Packing | undefined): Format {
  if (packing !== 'zstd') return formatOf(unpackHead(head, packing));
  throw new FairwayError('usage', `${path} is packed with zstd: say --format csv, ndjson or json`);
}

interface Opened {
  handle: FileHandle;
  size: number;
  changed?: bigint;
}

async function openAgain(path: string): Promise<Opened> {
  if (path === '-') return spool(process.stdin);
  const handle = await open(path, 'r');
  const stats = await handle.stat({ bigint: true });
  if (stats.isFile()) return { handle, size: Number(stats.size), changed: stats.mtimeNs };
  await handle.close();
  return spool(createReadStream(path));
}

async function spool(input: AsyncIterable<Buffer>): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'fairway-submit-'));
  let handle: FileHandle;
  try {
    handle = await open(join(folder, 'batch'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
  let size = 0;
  try {
    for await (const chunk of input) {
      await handle.appendFile(chunk);
      size += chunk.length;
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { handle, size };
}

async function* bytesOf(
  handle: FileHandle,
  path: string,
  { from, to }: ByteRange,
  onBytes: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for (let at = from; at < to;) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, to - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw unreadable(path, new Error('it became shorter while it was sent'));
    at += bytesRead;
    onBytes(chunk.subarray(0, bytesRead));
    yield chunk.subarray(0, bytesRead);
  }
}

/** Throws `body_unreadable` where it is cut off or not packed as it seemed. */
function unpack(bytes: Readable, path: string, packing: Packing | undefined): AsyncIterable<Buffer> {
  if (packing === undefined) return bytes;
  const unzip = createGunzip({ chunkSize: chunkBytes });
  // What it rejects with is told by its last stream as well, to whoever reads that.
  pipeline(bytes, unzip).catch(() => undefined);
  return unpackedBy(unzip, path);
}

async function* unpackedBy(unzip: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  try {
    yield* unzip;
  } catch (error) {
    if (error instanceof FairwayError) throw error;
    throw new FairwayError('body_unreadable', `${path} cannot be unpacked: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const unreadable = (path: string, error: unknown): FairwayError =>
  error instanceof FairwayError
    ? error
    : new FairwayError(
        codeOf(error) === 'ENOSPC' ? 'disk_full' : 'file_unreadable',
        codeOf(error) === 'ENOSPC'
          ? `no room in ${tmpdir()} to keep standard input for another try; TMPDIR names another folder`
          : `cannot read ${path}: ${messageOf(error)}`,
        { cause: error },
      );
