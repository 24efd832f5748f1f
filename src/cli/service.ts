/** `up` and `serve`: run the service until it is told to stop, then stop everything in order. */
import type { Context, ConfigFlags } from './context.js';
import { configure, count } from './context.js';
import type { LoadedConfig } from '../config.js';
import { openConfigured, type OpenedDatabase } from '../database/open.js';
import { pendingMigrations } from '../database/migrate.js';
import { FairwayError } from '../errors.js';
import type { Emit, FairwayEvent } from '../events.js';
import { createServer, listen } from '../http/server.js';
import { migrateAndAdopt, seed } from '../ingest/prepare.js';
import { createLog } from '../observe/log.js';

/** Runs until a signal. `prepareFirst`: migrate, adopt and seed before serving. */
export async function runService(context: Context, flags: ConfigFlags, prepareFirst: boolean): Promise<void> {
  const loaded = configure(context, flags);
  const { config } = loaded;
  const log = createLog(config.logLevel, context.stderr.isTTY);
  const emit: Emit = (event) => {
    log(event);
    const words = context.stderr.isTTY ? announce(event) : undefined;
    if (words) context.stderr.write(`${words}\n`);
  };
  const stop = watchSignals(context.env);
  const opened = await openConfigured(config, context.env, context.cwd, emit);
  let server: ReturnType<typeof createServer> | undefined;
  try {
    const prepared = prepareFirst ? prepareDatabase(opened, loaded, emit) : checkSchema(opened);
    if ((await Promise.race([prepared.then(() => 'ready' as const), stop.requested])) !== 'ready') {
      prepared.catch(() => undefined);
      await opened.close(true);
      return;
    }
    server = createServer({ database: opened.database, emit });
    const address = await listen(server, config.host, config.port);
    emit({ kind: 'listening', address });
    context.stdout.write(greeting(address, opened.embedded, loaded));
    emit({ kind: 'stopping', reason: await stop.requested });
  } catch (error) {
    await opened.close(true);
    throw error;
  }
  stop.again(() => server?.server.closeAllConnections());
  await server.close();
  await opened.close();
  emit({ kind: 'stopped' });
}

async function prepareDatabase(opened: OpenedDatabase, { config }: LoadedConfig, emit: Emit): Promise<void> {
  await migrateAndAdopt(opened.database, emit);
  await seed(opened.database, config.seed, emit);
}

async function checkSchema(opened: OpenedDatabase): Promise<void> {
  const pending = await opened.database.withClient(pendingMigrations);
  if (pending.length > 0) {
    throw new FairwayError(
      'schema_missing',
      `the database lacks ${pending.join(', ')}; run 'fairway migrate' first`,
    );
  }
}

interface StopWatch {
  /** Resolves with the reason of the first wish to stop. */
  requested: Promise<string>;
  /** What to do when somebody asks a second time. */
  again(action: () => void): void;
}

function watchSignals(env: NodeJS.ProcessEnv): StopWatch {
  let onAgain = (): void => undefined;
  const requested = new Promise<string>((resolve) => {
    let asked = false;
    const ask = (reason: string): void => {
      if (asked) onAgain();
      asked = true;
      resolve(reason);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
    // SIGTERM to `npm start` ends npm alone; whoever it started must notice by itself.
    const parent = process.ppid;
    if (env['npm_lifecycle_event'] === 'start') {
      setInterval(() => process.ppid !== parent && ask('npm ended'), 500).unref();
    }
  });
  return { requested, again: (action) => void (onAgain = action) };
}

/** Words for a person who watches the start. */
function announce(event: FairwayEvent): string | undefined {
  switch (event.kind) {
    case 'postgres-initialising':
      return `making a database in ${event.folder} (PostgreSQL ${event.version})…`;
    case 'adopted':
      return `took over ${count(event.items)} prices that were in public.prices`;
    case 'seeded':
      return `loaded ${count(event.items)} prices (${event.source})`;
    case 'stopping':
      return 'stopping…';
    default:
      return undefined;
  }
}

function greeting(address: string, embedded: boolean, { config }: LoadedConfig): string {
  const place = embedded
    ? `the embedded PostgreSQL, data in ${config.dataDir}`
    : 'the PostgreSQL that was named';
  return `
Fairway answers on ${address} from ${place}.

Try:  curl "${address}/rates?date_from=2021-01-01&date_to=2021-01-31&orig_code=CNGGZ&dest_code=EETLL"
or:   bin/fairway rates CNGGZ EETLL --from 2021-01-01 --to 2021-01-31

Ctrl-C stops it.
`;
}
