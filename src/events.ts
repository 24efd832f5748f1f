/**
 * What happens, said once: code emits one typed event, and the log (later metrics and traces) subscribes to it.
 * No module below `observe/` knows a logger.
 */
/** How an upload went: `repeated` found the verdict of an earlier try, `failed` has none. */
export type UploadOutcome = 'published' | 'rejected' | 'repeated' | 'checked' | 'failed';

/** How a part went: `repeated` was there already, `failed` has no verdict. */
export type PartOutcome = 'stored' | 'rejected' | 'repeated' | 'failed';

export type FairwayEvent =
  | { kind: 'listening'; address: string }
  | { kind: 'stopping'; reason: string }
  | { kind: 'stopped' }
  | {
      kind: 'request';
      id: string;
      method: string;
      url: string;
      /** The pattern that answered, such as /ports/:code. */
      route: string;
      status: number;
      milliseconds: number;
    }
  | { kind: 'request-failed'; id: string; error: unknown }
  | { kind: 'database-lost'; reason: string }
  | { kind: 'database-back' }
  | { kind: 'standby-lost'; reason: string }
  | { kind: 'standby-back' }
  | { kind: 'connection-taken'; waitedMilliseconds: number }
  | { kind: 'statement-read'; statement: string; rows: number; bytes: number; milliseconds: number }
  | { kind: 'answer-cache'; outcome: 'hit' | 'lane' | 'stale' | 'miss' }
  | { kind: 'answers-dropped'; reason: 'lane' | 'places' | 'horizon' | 'unknown'; answers: number }
  | { kind: 'rolled-up'; revision: number; batches: number; rows: number; milliseconds: number }
  | { kind: 'roll-up-failed'; error: unknown }
  | { kind: 'upload-begun' }
  | { kind: 'upload-ended'; outcome: UploadOutcome; milliseconds: number }
  | { kind: 'part-begun' }
  | { kind: 'part-ended'; outcome: PartOutcome }
  | { kind: 'part-stored'; batch: string; part: number; items: number; bytes: number; milliseconds: number }
  | { kind: 'part-rejected'; batch: string; part: number; errors: number; milliseconds: number }
  | {
      kind: 'batch-published';
      batch: string;
      replaces: string | null;
      revision: number;
      items: number;
      lanes: number;
      bytes: number;
      milliseconds: number;
    }
  | { kind: 'batch-rejected'; batch: string; items: number; errors: number; milliseconds: number }
  | { kind: 'batch-withdrawn'; batch: string; revision: number }
  | { kind: 'batch-abandoned'; batch: string; reason: string }
  | { kind: 'attempt-collected'; batch: string; attempt: string; segments: number }
  | { kind: 'collect-failed'; error: unknown }
  | { kind: 'segments-purged'; batch: string; segments: number; items: number; bytes: number }
  | { kind: 'batch-purged'; batch: string; historyFrom: number }
  | { kind: 'faults-purged'; batch: string; faults: number }
  | { kind: 'attempts-purged'; attempts: number }
  | { kind: 'purge-failed'; error: unknown }
  | { kind: 'disk-nearly-full'; freeBytes: number; reserveBytes: number }
  | { kind: 'disk-has-room'; freeBytes: number; reserveBytes: number }
  | { kind: 'place-changed'; place: string; revision: number }
  | { kind: 'migrated'; applied: string[] }
  | { kind: 'adopted'; items: number; revision: number }
  | { kind: 'seeded'; source: string; items: number; revision: number }
  | { kind: 'postgres-initialising'; folder: string; version: string }
  | { kind: 'postgres-started'; pid: number; port: number }
  | { kind: 'postgres-adopted'; pid: number; port: number }
  | { kind: 'postgres-crashed'; pid: number }
  | { kind: 'postgres-restart-failed'; reason: string }
  | { kind: 'postgres-stopped'; pid: number };

/** Receives each event as it happens; must not throw. */
export type Emit = (event: FairwayEvent) => void;
