/** What the steps of an upload are given. */
import type { Database } from '../../database/database.js';
import type { Patience } from '../../database/settle.js';
import { FairwayError } from '../../errors.js';
import type { Emit } from '../../events.js';
import type { Pace } from '../../pace.js';
import type { BatchFormat, readUpload } from '../parse/upload.js';
import type { RollupDebt } from '../debt/debt.js';
import type { Disk } from '../retention/disk.js';
import type { Reach } from '../stages.js';

export interface UploadLimits {
  /** Loads at once; each takes about 80 MB. */
  uploads: number;
  /** How long a load waits for its turn before it is told to come again. */
  admissionMilliseconds: number;
  /** A loader that is not heard of for so long may be taken over. */
  leaseMilliseconds: number;
  /** How long a repeat waits for the first try of its key. */
  repeatMilliseconds: number;
  /** A client must send so many bytes a second, over a window. */
  bytesPerSecond: number;
  windowMilliseconds: number;
  /** Of a body once decoded. */
  decodedBytes: number;
  /** Of a part once decoded; of a load that holds a part, most is for that. */
  partBytes: number;
  /** An open batch in parts that gets no part for so long expires. */
  unfinishedMilliseconds: number;
  patience: Patience;
}

export interface UploadContext {
  database: Database;
  emit: Emit;
  limits: UploadLimits;
  /** Asked before a batch is taken, and before each of its parts. */
  disk: Pick<Disk, 'check'>;
  /** Asked before a batch is taken, and before one in parts is published; without it, any number of batches may wait to be rolled up. */
  debt?: Pick<RollupDebt, 'admit'> | undefined;
  read: typeof readUpload;
  /** Of all loads together. */
  pace?: Pace | undefined;
  reach?: Reach | undefined;
}

/** Who asks: an API key, or anyone where writes are open. */
export interface Caller {
  /** Id of the key; null where none is needed. */
  key: string | null;
  /** Whether batches of others are theirs too. */
  all: boolean;
}

export interface Upload {
  caller: Caller;
  /** Idempotency-Key. */
  key: string | null;
  format: BatchFormat;
  encoding: 'identity' | 'gzip' | 'zstd';
  declaredItems?: number;
  /** The batch that this one takes the place of. */
  replaces: string | null;
}

/** What a loader holds while it loads. */
export interface Claim {
  batch: string;
  attempt: string;
  /** SHA-256 of the content that was rejected under this key. */
  rejected: Buffer | null;
  /** Whether that content has its verdict for good: one whose count differed may come again with another count. */
  final: boolean;
}

export const takenOver = (): FairwayError =>
  new FairwayError(
    'in_progress',
    'this upload was not heard of for too long and another one with its key took over; ask again for what became of it',
    { retryAfter: 1 },
  );
