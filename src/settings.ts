/** The settings: one table, a row each, with where it is read from, what it falls back to and how its text is read. */
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import {
  asciiSecret,
  databaseAddress,
  days,
  hostName,
  hours,
  levelName,
  loadPercent,
  processRole,
  readKeysName,
  roleName,
  seconds,
  seedName,
  webAddress,
  wholeNumber,
} from './setting-values.js';

/** What a process does: answer questions, take batches, or both. */
export type Role = 'all' | 'read' | 'ingest';

/** Whether questions take an API key. */
export type ReadKeys = 'optional' | 'required';

export type LogLevel = 'auto' | 'silent' | 'error' | 'warn' | 'info' | 'debug';

export interface Config {
  port: number;
  host: string;
  role: Role;
  /** Absolute path. */
  dataDir: string;
  /** `sample`, `none`, or the absolute path of a dump. */
  seed: string;
  databaseUrl: string | undefined;
  /** A standby of it that answers questions. */
  readUrl: string | undefined;
  readKeys: ReadKeys;
  /** The role `migrate` makes for the service, and its password. */
  serviceRole: string | undefined;
  servicePassword: string | undefined;
  poolSize: number;
  logLevel: LogLevel;
  /** How long a request may wait for the database. */
  requestSeconds: number;
  /** How long SIGTERM is followed by answers with `Connection: close` before the service stops listening. */
  drainSeconds: number;
  /** What kept answers may take up; 0 keeps none. */
  cacheMegabytes: number;
  /** How old a kept answer may be that goes out while the database is away; 0: none does. */
  staleSeconds: number;
  /** Thousands of rows that a client may have read for it in a minute, beyond ordinary questions; 0: as many as it likes. */
  budget: number;
  /** Proxies in front whose X-Forwarded-For counts. */
  trustedProxies: number;
  /** Batches loaded at once. */
  uploads: number;
  /** Size of a batch's body at the most, once decoded. */
  uploadMegabytes: number;
  /** How long withdrawn batches can still be asked about. */
  historyDays: number;
  /** How long the faults of rejected batches are kept. */
  rejectedDays: number;
  /** A folder on the database's disk, as an absolute path, where this process can see one. */
  diskPath: string | undefined;
  /** What the database may take up. */
  databaseMegabytes: number | undefined;
  /** What must stay free, or loads are refused; 0 refuses none. */
  diskReserveMegabytes: number;
  /** Batches that may wait to be rolled up before no more are taken; 0: any number. */
  rollupDebt: number;
  /** Size of a part's body at the most, once decoded. */
  partMegabytes: number;
  /** How long an open batch in parts waits for its next part. */
  unfinishedHours: number;
  /** What loading may use of one core's time, in percent; `auto`: all of it while few questions are asked. */
  loadShare: number | 'auto';
  /** Whom the command line asks. */
  url: string;
  /** What the command line shows there. */
  apiKey: string | undefined;
}

export interface Setting {
  name: string;
  key: keyof Config;
  explanation: string;
  fallback: string;
  secret?: boolean;
  parse: (text: string, context: ParseContext) => string | number | undefined;
}

interface ParseContext {
  /** Where a relative path starts. */
  base: string;
}

/** What a load takes at the most, and what all of them may take of the machine. */
const loadBytes = 80 << 20;
const loadsShare = 1 / 8;

/** As many loads at once as memory is for; beyond eight they only wait for each other. */
export const uploadsFor = (memoryBytes: number): number =>
  Math.min(8, Math.max(2, Math.floor((memoryBytes * loadsShare) / loadBytes)));

export const settings: readonly Setting[] = [
  {
    name: 'FAIRWAY_PORT',
    key: 'port',
    fallback: '3000',
    explanation: 'port to serve on; 0 takes a free one',
    parse: wholeNumber(0, 65535),
  },
  {
    name: 'FAIRWAY_HOST',
    key: 'host',
    fallback: '127.0.0.1',
    explanation: 'address to serve on',
    parse: hostName,
  },
  {
    name: 'FAIRWAY_ROLE',
    key: 'role',
    fallback: 'all',
    explanation: 'what the process does: all; read, which answers questions; or ingest, which takes batches',
    parse: processRole,
  },
  {
    name: 'FAIRWAY_DATA_DIR',
    key: 'dataDir',
    fallback: '.fairway',
    explanation: 'folder of the embedded database',
    parse: (text, { base }) => resolve(base, text),
  },
  {
    name: 'FAIRWAY_SEED',
    key: 'seed',
    fallback: 'sample',
    explanation: 'what a database without batches is filled with: sample, none, or a dump’s path',
    parse: seedName,
  },
  {
    name: 'DATABASE_URL',
    key: 'databaseUrl',
    fallback: '',
    explanation: 'PostgreSQL to use instead of the embedded one',
    secret: true,
    parse: databaseAddress,
  },
  {
    name: 'FAIRWAY_READ_URL',
    key: 'readUrl',
    fallback: '',
    explanation: 'a standby of that database, which answers questions; what it lacks is asked of the primary',
    secret: true,
    parse: databaseAddress,
  },
  {
    name: 'FAIRWAY_READ_KEYS',
    key: 'readKeys',
    fallback: 'optional',
    explanation: 'required: questions take an API key as well; optional: they do not',
    parse: readKeysName,
  },
  {
    name: 'FAIRWAY_SERVICE_ROLE',
    key: 'serviceRole',
    fallback: '',
    explanation:
      'role that migrate makes for the service: it reads and writes rows, and cannot change the schema',
    parse: roleName,
  },
  {
    name: 'FAIRWAY_SERVICE_PASSWORD',
    key: 'servicePassword',
    fallback: '',
    explanation: 'password that migrate gives to FAIRWAY_SERVICE_ROLE',
    secret: true,
    parse: asciiSecret,
  },
  {
    name: 'FAIRWAY_POOL_SIZE',
    key: 'poolSize',
    fallback: '8',
    explanation: 'connections to the database at the most',
    parse: wholeNumber(2, 500),
  },
  {
    name: 'FAIRWAY_LOG_LEVEL',
    key: 'logLevel',
    fallback: 'auto',
    explanation: 'silent, error, warn, info, debug; auto is warn on a terminal, else info',
    parse: levelName,
  },
  {
    name: 'FAIRWAY_REQUEST_SECONDS',
    key: 'requestSeconds',
    fallback: '10',
    explanation: 'how long a request may wait for the database; then it is answered with 503',
    parse: seconds(0.1, 300),
  },
  {
    name: 'FAIRWAY_DRAIN_SECONDS',
    key: 'drainSeconds',
    fallback: '2',
    explanation: 'how long after SIGTERM it goes on answering, unready, so that balancers turn away',
    parse: seconds(0, 300),
  },
  {
    name: 'FAIRWAY_CACHE_MB',
    key: 'cacheMegabytes',
    fallback: '32',
    explanation: 'memory for answers, and lanes, that are asked for again; 0 keeps none',
    parse: wholeNumber(0, 4_096),
  },
  {
    name: 'FAIRWAY_STALE_SECONDS',
    key: 'staleSeconds',
    fallback: '3600',
    explanation: 'how old answers from memory may be while the database is away; 0 gives none',
    parse: wholeNumber(0, 604_800),
  },
  {
    name: 'FAIRWAY_BUDGET',
    key: 'budget',
    fallback: '5000',
    explanation: 'thousands of rows that a client’s costly questions may read in a minute; 0 sets no limit',
    parse: wholeNumber(0, 999_999),
  },
  {
    name: 'FAIRWAY_TRUSTED_PROXIES',
    key: 'trustedProxies',
    fallback: '0',
    explanation: 'proxies in front of the service whose X-Forwarded-For is believed',
    parse: wholeNumber(0, 10),
  },
  {
    name: 'FAIRWAY_UPLOADS',
    key: 'uploads',
    fallback: String(uploadsFor(totalmem())),
    explanation: 'batches loaded at once; the default is by memory, about 80 MB for each',
    parse: wholeNumber(1, 100),
  },
  {
    name: 'FAIRWAY_UPLOAD_MB',
    key: 'uploadMegabytes',
    fallback: '4096',
    explanation: 'size of a batch’s body at the most, once decoded',
    parse: wholeNumber(1, 999_999),
  },
  {
    name: 'FAIRWAY_HISTORY_DAYS',
    key: 'historyDays',
    fallback: '30',
    explanation: 'how long withdrawn batches are kept for questions about the past',
    parse: days(0, 36_500),
  },
  {
    name: 'FAIRWAY_REJECTED_DAYS',
    key: 'rejectedDays',
    fallback: '30',
    explanation: 'how long the faults of rejected batches are kept',
    parse: days(0, 36_500),
  },
  {
    name: 'FAIRWAY_DISK_RESERVE_MB',
    key: 'diskReserveMegabytes',
    fallback: '1024',
    explanation: 'what must stay free on the database’s disk, or batches are refused; 0 refuses none',
    parse: wholeNumber(0, 99_999_999),
  },
  {
    name: 'FAIRWAY_DISK_PATH',
    key: 'diskPath',
    fallback: '',
    explanation: 'folder on the database’s disk; the embedded one’s is known',
    parse: (text, { base }) => resolve(base, text),
  },
  {
    name: 'FAIRWAY_DATABASE_MB',
    key: 'databaseMegabytes',
    fallback: '',
    explanation: 'what the database may take up, where no folder of its disk can be seen',
    parse: wholeNumber(1, 99_999_999),
  },
  {
    name: 'FAIRWAY_ROLLUP_DEBT',
    key: 'rollupDebt',
    fallback: '100',
    explanation:
      'batches that may wait to be rolled up; then no more are taken until fewer do; 0 sets no bound',
    parse: wholeNumber(0, 999_999),
  },
  {
    name: 'FAIRWAY_PART_MB',
    key: 'partMegabytes',
    fallback: '64',
    explanation: 'size of a part of a batch at the most, once decoded; a load may hold as much',
    parse: wholeNumber(1, 1_024),
  },
  {
    name: 'FAIRWAY_UNFINISHED_HOURS',
    key: 'unfinishedHours',
    fallback: '24',
    explanation: 'how long a batch in parts waits for its next part; then it is removed',
    parse: hours(0.0001, 8_760),
  },
  {
    name: 'FAIRWAY_LOAD_SHARE',
    key: 'loadShare',
    fallback: 'auto',
    explanation:
      'percent of one core’s time that loading may use, so that reads stay fast; 100 is full speed, auto is that while few ask',
    parse: loadPercent,
  },
  {
    name: 'FAIRWAY_URL',
    key: 'url',
    fallback: '',
    explanation: 'service the command line asks; default is the local one',
    parse: webAddress,
  },
  {
    name: 'FAIRWAY_API_KEY',
    key: 'apiKey',
    fallback: '',
    explanation: 'key the command line shows where one is needed',
    secret: true,
    parse: asciiSecret,
  },
];
