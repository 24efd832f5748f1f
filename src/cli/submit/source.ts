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
  /** All bytes, from the first. `onBytes` sees each chunk as it goes. */
  read(onBytes: (chunk: Buffer) => void): Readable;
  close(): Promise<void>;
}

const headBytes = 1 << 16;
const chunkBytes = 1 << 17;

/** Throws `file_unreadable`, or `usage` where the format must be said. */
export async function openSource(path: string, format: Format | undefined): Promise<Source> {
  const { handle, size } = await openAgain(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const head = Buffer.alloc(Math.min(headBytes, size));
    await handle.read(head, 0, head.length, 0);
    const packing = packingOf(head);
    return {
      name: path === '-' ? 'stdin' : basename(path),
      path,
      size,
      format: format ?? recognised(path, head, packing),
      packing,
      read: (onBytes) => Readable.from(bytesOf(handle, path, size, onBytes), { objectMode: false }),
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

async function openAgain(path: string): Promise<{ handle: FileHandle; size: number }> {
  if (path === '-') return spool(process.stdin);
  const handle = await open(path, 'r');
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  return spool(createReadStream(path));
}

async function spool(input: AsyncIterable<Buffer>): Promise<{ handle: FileHandle; size: number }> {
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
  size: number,
  onBytes: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw unreadable(path, new Error('it became shorter while it was sent'));
    at += bytesRead;
    onBytes(chunk.subarray(0, bytesRead));
    yield chunk.subarray(0, bytesRead);
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
