/** Disks for tests. */
import type { UploadContext } from '../../src/ingest/upload/context.js';

/** One that refuses nothing. */
export const anyRoom: UploadContext['disk'] = { check: () => Promise.resolve() };
