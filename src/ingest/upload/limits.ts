/** What uploads may take, where nothing else is set. */
import { patience } from '../../database/settle.js';
import type { UploadLimits } from './context.js';

export const uploadLimits = (given: Partial<UploadLimits> = {}): UploadLimits => ({
  uploads: 2,
  admissionMilliseconds: 2_000,
  leaseMilliseconds: 10_000,
  repeatMilliseconds: 30_000,
  bytesPerSecond: 1_000,
  windowMilliseconds: 30_000,
  decodedBytes: 4_096 * 2 ** 20,
  partBytes: 64 * 2 ** 20,
  unfinishedMilliseconds: 24 * 3_600_000,
  patience,
  ...given,
});
