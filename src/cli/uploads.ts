/** Taking batches, as the service does it: a pool of their own, so that loads never keep reads waiting, and the collector. */
import type { Config } from '../settings.js';
import type { Database } from '../database/database.js';
import type { OpenedDatabase } from '../database/open.js';
import type { Emit } from '../events.js';
import { collectRegularly } from '../ingest/collect.js';
import { readDebt, RollupDebt } from '../ingest/debt/debt.js';
import { readUpload } from '../ingest/parse/upload.js';
import { checkFolder, Disk, leastRoom, roomBelow, roomOnDiskOf } from '../ingest/retention/disk.js';
import { Uploads } from '../ingest/pipeline.js';
import { uploadLimits } from '../ingest/upload/limits.js';
import type { Pace } from '../pace.js';

export interface UploadService {
  uploads: Uploads;
  disk: Disk;
  debt: RollupDebt;
  /** Waits for what is under way: uploads whose connections are closed give up, and leave nothing. */
  close(): Promise<void>;
}

/** A load has one transaction at a time and now and then renews its lease; repeats and the collector look around. */
const connections = (uploads: number): number => uploads + 4;

/** Who collects metrics while the database is away still wants an answer. */
const debtMilliseconds = 1_000;

/**
 * A process of the role `read` refuses uploads before they are asked for: nothing is started there for them. `onBehind`
 * is called where so much waits to be rolled up that no more is taken.
 */
export function openUploads(
  opened: OpenedDatabase,
  config: Config,
  emit: Emit,
  { onBehind, pace }: { onBehind: () => void; pace: Pace },
): UploadService {
  const limits = uploadLimits({
    uploads: config.uploads,
    decodedBytes: config.uploadMegabytes * 2 ** 20,
    partBytes: config.partMegabytes * 2 ** 20,
    unfinishedMilliseconds: config.unfinishedHours * 3_600_000,
  });
  const debtOf = (database: Database): RollupDebt =>
    new RollupDebt({
      measure: () => readDebt(database, { deadline: performance.now() + debtMilliseconds }),
      bound: config.rollupDebt,
      waitMilliseconds: limits.admissionMilliseconds,
      onBehind,
    });
  if (config.role === 'read') {
    const { database } = opened;
    const disk = new Disk({ measure: leastRoom([]), reserveBytes: 0, emit });
    const uploads = new Uploads({ database, emit, limits, disk, read: readUpload });
    return { uploads, disk, debt: debtOf(database), close: () => uploads.idle() };
  }
  const database = opened.openPool(connections(config.uploads));
  const disk = diskOf(database, opened.folder, config, emit);
  const debt = debtOf(database);
  const uploads = new Uploads({ database, emit, limits, disk, debt, read: readUpload, pace });
  const stopCollecting = collectRegularly(database, config, emit);
  return {
    uploads,
    disk,
    debt,
    close: async () => {
      await Promise.all([uploads.idle(), stopCollecting()]);
      await database.close();
    },
  };
}

/** `folder`: of the embedded server. Throws `configuration_invalid`. */
function diskOf(database: Database, folder: string | undefined, config: Config, emit: Emit): Disk {
  const { diskPath, databaseMegabytes, diskReserveMegabytes } = config;
  if (diskPath !== undefined) checkFolder('FAIRWAY_DISK_PATH', diskPath);
  const seen = diskPath ?? folder;
  const measure = leastRoom([
    ...(seen === undefined ? [] : [roomOnDiskOf(seen)]),
    ...(databaseMegabytes === undefined ? [] : [roomBelow(database, databaseMegabytes * 2 ** 20)]),
  ]);
  return new Disk({ measure, reserveBytes: diskReserveMegabytes * 2 ** 20, emit });
}
