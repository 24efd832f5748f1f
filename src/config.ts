/**
 * The configuration: the settings (settings.ts), read once at the start and passed in.
 * Flags go over the environment, over the file, over the defaults; a wrong value stops the start with its name.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, FairwayError, messageOf } from './errors.js';
import { settings, type Config, type Setting } from './settings.js';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

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
