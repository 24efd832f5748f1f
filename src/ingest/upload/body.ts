/** The bytes of an upload: in go those of the wire, out come the decoded ones, or the refusal of a client that is too slow or sends a bomb. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { codeOf, FairwayError, messageOf } from '../../errors.js';
import type { Upload, UploadLimits } from './context.js';

type BodyLimits = Pick<UploadLimits, 'bytesPerSecond' | 'windowMilliseconds' | 'decodedBytes'>;
type Bytes = AsyncIterable<Uint8Array>;

/** Honest prices pack to a fifth or a tenth; only what was made for it unpacks to more than this. */
const largestRatio = 200;
/** So much may come out before the ratio counts: a small body may well hold the same line many times. */
const ratioFrom = 10 << 20;
const chunkBytes = 1 << 17;

type Decoder = NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>;
/** Node 22.15 and up. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Decoder };

export const encodings: readonly string[] = ['identity', 'gzip', ...(createZstdDecompress ? ['zstd'] : [])];

/** Throws `request_timeout`, `request_too_large` or `body_unreadable`. */
export function readBody(source: Bytes, encoding: Upload['encoding'], limits: BodyLimits): Bytes {
  let received = 0;
  const arriving = paced(source, limits, (bytes) => (received += bytes));
  return bounded(
    encoding === 'identity' ? arriving : decoded(arriving, encoding),
    limits.decodedBytes,
    (bytes) => encoding !== 'identity' && bytes > ratioFrom && bytes > received * largestRatio,
  );
}

/** Counts only time in which we wait for the client: that our own database is slow is not the client's fault. */
async function* paced(
  source: Bytes,
  { bytesPerSecond, windowMilliseconds }: BodyLimits,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let waited = 0;
  let arrived = 0;
  const endWindow = (): void => {
    if (arrived < (bytesPerSecond * windowMilliseconds) / 1_000) throw tooSlow(arrived, windowMilliseconds);
    waited = 0;
    arrived = 0;
  };
  for (;;) {
    const begun = performance.now();
    const next = iterator.next().catch(brokenOff);
    let result = await within(next, windowMilliseconds - waited);
    while (result === 'late') {
      endWindow();
      result = await within(next, windowMilliseconds);
    }
    if (result.done) return;
    waited += performance.now() - begun;
    arrived += result.value.length;
    count(result.value.length);
    if (waited >= windowMilliseconds) endWindow();
    yield result.value;
  }
}

async function within<Result>(work: Promise<Result>, milliseconds: number): Promise<Result | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, milliseconds));
  });
  try {
    // Whoever loses the race may still reject later; nobody waits for it then.
    work.catch(() => undefined);
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function* decoded(source: Bytes, encoding: 'gzip' | 'zstd'): AsyncGenerator<Uint8Array> {
  const decoder: Decoder =
    encoding === 'gzip'
      ? zlib.createGunzip({ chunkSize: chunkBytes })
      : (createZstdDecompress?.({ chunkSize: chunkBytes }) ?? failZstd());
  // What goes wrong ahead of the decoder comes out of it.
  pipeline(Readable.from(source, { objectMode: false }), decoder).catch(() => undefined);
  try {
    yield* decoder;
  } catch (error) {
    if (error instanceof FairwayError) throw error;
    throw new FairwayError('body_unreadable', `the body cannot be read as ${encoding}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const failZstd = (): never => {
  throw new FairwayError('unsupported_media_type', 'this server cannot read zstd; send gzip');
};

async function* bounded(
  source: Bytes,
  largest: number,
  isBomb: (bytes: number) => boolean,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > largest) {
      throw new FairwayError(
        'request_too_large',
        `the body is larger than ${largest >> 20} MB once decoded; send less at once`,
      );
    }
    if (isBomb(bytes)) {
      throw new FairwayError(
        'request_too_large',
        `the body unpacks to more than ${largestRatio} times its size; no prices do`,
      );
    }
    yield chunk;
  }
}

const tooSlow = (bytes: number, milliseconds: number): FairwayError =>
  new FairwayError(
    'request_timeout',
    `the upload brought ${bytes} bytes in ${milliseconds / 1_000} seconds and was cut off; nothing of it is kept, send it again`,
  );

const brokenOff = (error: unknown): never => {
  if (error instanceof FairwayError) throw error;
  const code = codeOf(error);
  throw new FairwayError(
    'body_unreadable',
    `the connection broke off in the body${code === undefined ? '' : ` (${code})`}; nothing of it is kept, send it again`,
    { cause: error },
  );
};
