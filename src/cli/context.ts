/** What a command is given: configuration, streams, and where words go. Nothing below reads process.argv or the environment again. */
import { loadConfig, packageRoot, type LoadedConfig } from '../config.js';
import type { Config } from '../settings.js';
import type { Emit } from '../events.js';
import { openConfigured, type OpenedDatabase } from '../database/open.js';
import { createLog } from '../observe/log.js';

export interface Context {
  env: NodeJS.ProcessEnv;
  cwd: string;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

export type ConfigFlags = Partial<Record<keyof Config, string>>;

export const processContext = (): Context => ({
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
});

/** Loads the configuration; says on standard error what in the environment looks misspelt. */
export function configure(context: Context, flags: ConfigFlags = {}): LoadedConfig {
  const loaded = loadConfig({ flags, env: context.env, root: packageRoot, cwd: context.cwd });
  for (const warning of loaded.warnings) context.stderr.write(`fairway: ${warning}\n`);
  return loaded;
}

/** The log for a command that ends: problems only, unless a level was asked for. */
export function commandLog(config: Config): Emit {
  return createLog(config.logLevel === 'auto' ? 'error' : config.logLevel, true);
}

export async function withDatabase<Result>(
  context: Context,
  config: Config,
  emit: Emit,
  work: (opened: OpenedDatabase) => Promise<Result>,
): Promise<Result> {
  const opened = await openConfigured(config, context.env, context.cwd, emit);
  const interrupted = (): void => void opened.close(true).finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted).once('SIGHUP', interrupted);
  try {
    return await work(opened);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted).off('SIGHUP', interrupted);
    await opened.close();
  }
}

export const count = (value: number): string => value.toLocaleString('en-US');
