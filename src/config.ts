/**
 * The configuration: one table of settings, read once at the start and passed in.
 * Flags go over the environment, over the file, over the defaults; a wrong value stops the start with its name.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, FairwayError, messageOf } from './errors.js';
import {
  asciiSecret,
  databaseAddress,
  hostName,
  levelName,
  roleName,
  seconds,
  seedName,
  webAddress,
  wholeNumber,
} from './setting-values.js';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

export type LogLevel = 'auto' | 'silent' | 'error' | 'warn' | 'info' | 'debug';

export interface Config {
  port: number;
  host: string;
  /** Absolute path. */
  dataDir: string;
  /** `sample`, `none`, or the absolute path of a dump. */
  seed: string;
  databaseUrl: string | undefined;
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
  /** Batches loaded at once. */
  uploads: number;
  /** Size of a batch's body at the most, once decoded. */
  uploadMegabytes: number;
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

export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface LoadedConfig {
  config: Config;
  origins: Record<keyof Config, { origin: Origin; detail: string }>;
  warnings: string[];
}

export interface ConfigSource {
  flags?: Partial<Record<keyof Config, string>>;
  env: NodeJS.ProcessEnv;
  /** The folder of `.fairway/` and `fairway.json`. */
  root: string;
  /** Where relative paths from flags and the environment start. */
  cwd: string;
}

const invalid = (name: string, message: string): FairwayError =>
  new FairwayError('configuration_invalid', `${name}: ${message}`);

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
    explanation: 'memory for answers that are asked for again; 0 keeps none',
    parse: wholeNumber(0, 4_096),
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
    explanation: 'key the command line shows where writing needs one',
    secret: true,
    parse: asciiSecret,
  },
];

/** Loads and checks every setting. Throws `configuration_invalid` naming the first wrong one. */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const file = readFile(source);
  const config: Partial<Record<keyof Config, string | number | undefined>> = {};
  const origins = {} as LoadedConfig['origins'];
  for (const setting of settings) {
    const found = find(setting, source, file);
    origins[setting.key] = { origin: found.origin, detail: found.detail };
    const base = found.origin === 'flag' || found.origin === 'environment' ? source.cwd : source.root;
    try {
      config[setting.key] = found.text === '' ? undefined : setting.parse(found.text, { base });
    } catch (error) {
      throw invalid(found.detail, messageOf(error));
    }
  }
  config.url ??= `http://${localHost(String(config.host))}:${config.port}`;
  return { config: config as unknown as Config, origins, warnings: unknownNames(source.env) };
}

/** Text of a variable, from NAME or from the file that NAME_FILE names. */
export function readVariable(
  env: NodeJS.ProcessEnv,
  name: string,
  cwd: string,
): { text: string; detail: string } | undefined {
  const direct = env[name];
  const path = env[`${name}_FILE`];
  if (direct && path) throw invalid(name, `both ${name} and ${name}_FILE are set; keep one`);
  if (direct) return { text: direct, detail: name };
  if (!path) return undefined;
  try {
    return { text: readFileSync(resolve(cwd, path), 'utf8').replace(/\r?\n$/, ''), detail: `${name}_FILE` };
  } catch (error) {
    throw invalid(`${name}_FILE`, `cannot read it (${messageOf(error)})`);
  }
}

function find(
  setting: Setting,
  source: ConfigSource,
  file: Record<string, string>,
): { text: string; origin: Origin; detail: string } {
  const flag = source.flags?.[setting.key];
  if (flag !== undefined) return { text: flag, origin: 'flag', detail: `--${flagName(setting.key)}` };
  const variable = setting.secret
    ? readVariable(source.env, setting.name, source.cwd)
    : source.env[setting.name]
      ? { text: source.env[setting.name] ?? '', detail: setting.name }
      : undefined;
  if (variable) return { ...variable, origin: 'environment' };
  const inFile = file[setting.key];
  if (inFile !== undefined) return { text: inFile, origin: 'file', detail: `fairway.json: ${setting.key}` };
  return { text: setting.fallback, origin: 'default', detail: setting.name };
}

export const flagName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function readFile(source: ConfigSource): Record<string, string> {
  const given = source.env['FAIRWAY_CONFIG'];
  const path = given ? resolve(source.cwd, given) : join(source.root, 'fairway.json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!given && codeOf(error) === 'ENOENT') return {};
    throw invalid(path, `cannot be read as JSON (${messageOf(error)})`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid(path, 'must hold one JSON object, such as {"port": 3000}');
  }
  const known = settings.map((setting) => setting.key as string);
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (!known.includes(key)) throw invalid(path, `unknown setting '${key}'; there are ${known.join(', ')}`);
    if (typeof value !== 'string' && typeof value !== 'number')
      throw invalid(`${path}: ${key}`, 'must be a text or a number');
    result[key] = String(value);
  }
  return result;
}

/** Variables that start with FAIRWAY_ and mean nothing: most likely misspelt. Orchestrators add their own, so no error. */
function unknownNames(env: NodeJS.ProcessEnv): string[] {
  const known = new Set([
    ...settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
    'FAIRWAY_CONFIG',
  ]);
  return Object.keys(env)
    .filter(
      (name) =>
        name.startsWith('FAIRWAY_') &&
        !/^FAIRWAY_(TEST_|SHARED$|SERVICE_|PORT_)/.test(name) &&
        !known.has(name),
    )
    .map((name) => `${name} is not a setting of Fairway; 'fairway config' lists them`);
}

const localHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
