/** `up` and `serve`: run the service until it is told to stop, then stop everything in order. */
import type { Context, ConfigFlags } from './context.js';
import { configure, count } from './context.js';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadedConfig } from '../config.js';
import type { Config } from '../settings.js';
import { openConfigured, type OpenedDatabase } from '../database/open.js';
import { pendingMigrations } from '../database/migrate.js';
import { FairwayError } from '../errors.js';
import type { Emit, FairwayEvent } from '../events.js';
import { listen } from '../http/listen.js';
import { createServer, type Lifecycle, type Server } from '../http/server.js';
import { newestRevision } from '../query/head.js';
import { GiveWay } from '../give-way.js';
import { Pace } from '../pace.js';
import { Roller } from '../query/roller.js';
import { migrateAndAdopt, seed } from '../ingest/prepare.js';
import { readStorage } from '../ingest/retention/storage.js';
import { keepTickShape } from './tick-shape.js';
import { openUploads, type UploadService } from './uploads.js';
import { createLog } from '../observe/log.js';
import { createMetrics } from '../observe/metrics.js';

/** Who collects metrics while the database is away still wants an answer. */
const probeMilliseconds = 1_000;

/** After these the rollups are behind; whoever asks before they caught up is answered all the same. */
const changesRates = new Set<FairwayEvent['kind']>(['batch-published', 'batch-withdrawn', 'place-changed']);

/** Runs until a signal. `prepareFirst`: migrate, adopt and seed before serving. */
export async function runService(context: Context, flags: ConfigFlags, prepareFirst: boolean): Promise<void> {
  keepTickShape();
  const loaded = configure(context, flags);
  const { config } = loaded;
  const { emit, subscribe } = eventBus(context, config);
  const stop = watchSignals(context.env);
  const opened = await openConfigured(config, context.env, context.cwd, emit);
  const lifecycle: Lifecycle = { stopping: false };
  const pace = paceOf(config, subscribe);
  // A process that only answers questions writes nothing: others bring the rollups up to date.
  const roller = config.role === 'read' ? undefined : new Roller(opened.database, emit, pace);
  let uploads: UploadService | undefined;
  let server: Server;
  try {
    const prepared = prepareFirst ? prepareDatabase(opened, loaded, emit) : checkSchema(opened);
    if ((await Promise.race([prepared.then(() => 'ready' as const), stop.requested])) !== 'ready') {
      prepared.catch(() => undefined);
      await opened.close(true);
      return;
    }
    roller?.watch();
    subscribe((event) => {
      if (changesRates.has(event.kind)) roller?.kick();
    });
    uploads = openUploads(opened, config, emit, { onBehind: () => roller?.kick(), pace });
    server = buildServer({ ...opened, roller, uploads, pace }, config, emit, subscribe, lifecycle);
    const address = await listen(server, config.host, config.port);
    emit({ kind: 'listening', address });
    context.stdout.write(greeting(address, opened.embedded, loaded));
  } catch (error) {
    await Promise.all([roller?.stop(), uploads?.close()]);
    await opened.close(true);
    throw error;
  }
  const reason = await stop.requested;
  emit({ kind: 'stopping', reason });
  lifecycle.stopping = true;
  const hurried = new Promise<void>((resolve) => stop.again(resolve));
  // A person at the keyboard has no balancer that needs time to notice.
  if (reason === 'SIGTERM') await Promise.race([delay(config.drainSeconds * 1_000), hurried]);
  await closeServer(server, config, hurried);
  await Promise.all([roller?.stop(), uploads.close()]);
  await opened.close();
  emit({ kind: 'stopped' });
}

/** Events go to the log, to a person who watches the start, and to whoever subscribes. */
function eventBus(context: Context, config: Config): { emit: Emit; subscribe: (listener: Emit) => void } {
  const log = createLog(config.logLevel, context.stderr.isTTY);
  const listeners: Emit[] = [log];
  if (context.stderr.isTTY) {
    listeners.push((event) => {
      const words = announce(event);
      if (words) context.stderr.write(`${words}\n`);
    });
  }
  return {
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}

/** Of all loads of this process, and of rolling up what they bring. */
function paceOf({ loadShare }: Config, subscribe: (listener: Emit) => void): Pace {
  if (loadShare !== 'auto') return Pace.of(loadShare);
  const pace = Pace.of(100);
  const giveWay = new GiveWay(pace);
  subscribe((event) => giveWay.observe(event));
  giveWay.watch();
  return pace;
}

function buildServer(
  {
    database,
    reads,
    embedded,
    roller,
    uploads,
    pace,
  }: OpenedDatabase & { roller: Roller | undefined; uploads: UploadService; pace: Pace },
  config: Config,
  emit: Emit,
  subscribe: (listener: Emit) => void,
  lifecycle: Lifecycle,
): Server {
  const metrics = createMetrics({
    pool: database.statistics,
    revision: () => newestRevision(database, { deadline: performance.now() + probeMilliseconds }),
    storage: () => readStorage(database, { deadline: performance.now() + probeMilliseconds }),
    room: () => uploads.disk.room(),
    reserveBytes: uploads.disk.reserveBytes,
    debt: () => uploads.debt.now(),
    loadShare: () => pace.percent,
  });
  subscribe(metrics.observe);
  return createServer({
    database,
    reads,
    emit,
    metrics,
    lifecycle,
    role: config.role,
    uploads: uploads.uploads,
    writes: writesAreOpen(embedded, config) ? 'open' : 'keys',
    readKeys: config.readKeys,
    cacheBytes: config.cacheMegabytes << 20,
    staleSeconds: config.staleSeconds,
    requestMilliseconds: config.requestSeconds * 1_000,
    budgetRows: config.budget * 1_000,
    proxies: config.trustedProxies,
    onBehind: () => roller?.kick(),
  });
}

/** Only who is on this machine reaches the service, and nobody else uses its database. */
const writesAreOpen = (embedded: boolean, { host }: Config): boolean =>
  embedded && /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);

/** Requests under way are answered; what they wait for ends with their deadline, and so does our patience. */
async function closeServer(server: Server, config: Config, hurried: Promise<void>): Promise<void> {
  const late = new AbortController();
  const patience = delay(config.requestSeconds * 1_000 + 1_000, undefined, { signal: late.signal });
  void Promise.race([patience, hurried]).then(
    () => server.server.closeAllConnections(),
    () => undefined,
  );
  await server.close();
  late.abort();
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

${config.role === 'ingest' ? 'It only takes batches and changes of places (role ingest).' : invitation(address)}

Ctrl-C stops it.${
    writesAreOpen(embedded, config)
      ? ' Whoever is on this machine may write; elsewhere that takes an API key.'
      : ''
  }
`;
}

const invitation = (address: string): string =>
  `Try:  curl "${address}/rates?date_from=2021-01-01&date_to=2021-01-31&orig_code=CNGGZ&dest_code=EETLL"
or:   bin/fairway rates CNGGZ EETLL --from 2021-01-01 --to 2021-01-31
or:   ${address}/ in a browser`;
