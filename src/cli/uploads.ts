/** Taking batches, as the service does it: a pool of their own, so that loads never keep reads waiting, and the collector. */
import type { Config } from '../settings.js';
import type { OpenedDatabase } from '../database/open.js';
import type { Emit } from '../events.js';
import { collectRegularly } from '../ingest/collect.js';
import { readUpload } from '../ingest/parse/upload.js';
import { Uploads } from '../ingest/pipeline.js';
import { uploadLimits } from '../ingest/upload/limits.js';
import { paceOf } from '../pace.js';

export interface UploadService {
  uploads: Uploads;
  /** Waits for what is under way: uploads whose connections are closed give up, and leave nothing. */
  close(): Promise<void>;
}

/** A load has one transaction at a time and now and then renews its lease; repeats and the collector look around. */
const connections = (uploads: number): number => uploads + 4;

/** A process of the role `read` refuses uploads before they are asked for: nothing is started there for them. */
export function openUploads(opened: OpenedDatabase, config: Config, emit: Emit): UploadService {
  const limits = uploadLimits({ uploads: config.uploads, decodedBytes: config.uploadMegabytes * 2 ** 20 });
  if (config.role === 'read') {
    const uploads = new Uploads({ database: opened.database, emit, limits, read: readUpload });
    return { uploads, close: () => uploads.idle() };
  }
  const database = opened.openPool(connections(config.uploads));
  const pace = paceOf(config.loadShare);
  const uploads = new Uploads({ database, emit, limits, read: readUpload, pace });
  const stopCollecting = collectRegularly(database, emit);
  return {
    uploads,
    close: async () => {
      await Promise.all([uploads.idle(), stopCollecting()]);
      await database.close();
    },
  };
}
