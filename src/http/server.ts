/** The HTTP server: in goes a database, out come answers. Routes are a file each; this one composes what they share. */
import { createServer as createHttpServer } from 'node:http';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import type { ReadKeys, Role } from '../settings.js';
import { FairwayError } from '../errors.js';
import { Readers } from '../access/readers.js';
import { RatesAnswers } from '../query/answers.js';
import type { Uploads } from '../ingest/pipeline.js';
import type { PlaceSource } from '../query/place-source.js';
import { RatesSource } from '../query/rates.js';
import { requireKey } from './access.js';
import { Budgets } from './budget.js';
import { answerDirectly } from './direct.js';
import { compressAnswer } from './compress.js';
import { routes as contract } from './contract.js';
import { compileValidator } from './validator.js';
import { answerClientError, checkAddress, limits } from './limits.js';
import { openApi } from './openapi.js';
import { cacheControlOf } from './rates-answer.js';
import { problemAnswer } from './render-error.js';
import { newRequestId } from './request-id.js';
import { checkRole } from './roles.js';
import { assetsRoute } from './routes/assets.js';
import { batchesRoutes } from './routes/batches.js';
import { docsRoute } from './routes/docs.js';
import { historyRoutes } from './routes/history.js';
import { homeRoute } from './routes/home.js';
import { openApiRoute } from './routes/openapi.js';
import { operationRoutes } from './routes/operation.js';
import { partsRoutes, putPartRoute } from './routes/parts.js';
import { placeChangesRoutes, placesRoutes } from './routes/places.js';
import { ratesRoute } from './routes/rates.js';
import { ratesQueryRoute } from './routes/rates-query.js';
import { sourcesRoute } from './routes/sources.js';
import { securityHeaders } from './security-headers.js';
import { requestEvent, tellRequests } from './tell-requests.js';
import { limitBodyTime, linger, takePlainJson } from './uploads.js';

/** Whoever starts the server says here that it is to stop. */
export interface Lifecycle {
  stopping: boolean;
}

/** Metrics as text, for whoever collects them. */
export interface MetricsSource {
  contentType: string;
  text(): Promise<string>;
}

export interface ServerOptions {
  database: Database;
  /** Where questions go first; by default the database itself. */
  reads?: Database;
  emit: Emit;
  metrics: MetricsSource;
  lifecycle: Lifecycle;
  /** Whatever another role does is refused. */
  role: Role;
  /** Who takes batches. */
  uploads: Uploads;
  /** `open`: whoever reaches us may write; `keys`: only with an API key. */
  writes: 'open' | 'keys';
  /** Whether questions take an API key as well; by default they do not. */
  readKeys?: ReadKeys;
  /** What kept answers may take up. */
  cacheBytes: number;
  /** How old a kept answer may be that goes out while the database is away; by default none does. */
  staleSeconds?: number;
  /** How long a request may wait for the database. */
  requestMilliseconds: number;
  /** Rows that a client may have read for it in a minute beyond ordinary questions; 0: as many as it likes. */
  budgetRows?: number;
  /** Proxies in front of this process whose word counts on who asks. */
  proxies?: number;
  /** Called where an answer found the rollups behind. */
  onBehind?: () => void;
}

/** What routes are given. */
export interface Services extends Pick<
  ServerOptions,
  'database' | 'emit' | 'metrics' | 'lifecycle' | 'role' | 'writes' | 'uploads'
> {
  source: RatesSource;
  places: PlaceSource;
  answers: RatesAnswers;
  /** Cache-Control of rates. */
  cacheControl: string;
  /** When a request that begins now must be answered, on the clock of `performance.now()`. */
  deadline: () => number;
  readKeys: ReadKeys;
  readers: Readers;
  budgets: Budgets;
  /** As in `ServerOptions`. */
  proxies: number;
}

const newServer = (services: Services) =>
  Fastify({
    serverFactory: (handler, { http }) =>
      createHttpServer(http ?? {}, (request, response) => {
        if (!answerDirectly(services, request, response)) handler(request, response);
      }),
    genReqId: newRequestId,
    requestIdHeader: false,
    bodyLimit: limits.bodyBytes,
    http: {
      headersTimeout: limits.headersMilliseconds,
      connectionsCheckingInterval: limits.checkMilliseconds,
      maxHeaderSize: limits.headerBytes,
    },
    // Idle keep-alive connections would otherwise hold up a stop for as long as their clients like.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    // A malformed path passes no hook, and must get the same kind of answer and line in the log as everything else.
    frameworkErrors: (error, request, reply) => {
      const answer = reply as unknown as FastifyReply;
      answer.raw.once('finish', () => services.emit(requestEvent(request, answer)));
      sendProblem(answer, error, request.id, services.emit);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

export type Server = ReturnType<typeof newServer>;

export function createServer(options: ServerOptions): Server {
  const {
    database,
    reads = database,
    emit,
    cacheBytes,
    staleSeconds = 0,
    requestMilliseconds,
    onBehind,
  } = options;
  const source = new RatesSource(reads, database);
  const staleMilliseconds = staleSeconds * 1_000;
  const answers = new RatesAnswers({
    source,
    emit,
    cacheBytes,
    staleMilliseconds,
    ...(onBehind ? { onBehind } : {}),
  });
  const services: Services = {
    ...options,
    source,
    places: source.places,
    answers,
    readKeys: options.readKeys ?? 'optional',
    readers: new Readers({ reads, primary: database, staleMilliseconds, away: () => answers.head.away }),
    cacheControl: cacheControlOf(staleSeconds),
    deadline: () => performance.now() + requestMilliseconds,
    budgets: new Budgets(options.budgetRows ?? 0),
    proxies: options.proxies ?? 0,
  };
  const server = newServer(services);
  server.server.keepAliveTimeout = limits.idleMilliseconds;
  // An honest upload may take hours; bodies have limits of their own.
  server.server.requestTimeout = 0;
  server.setValidatorCompiler(compileValidator);
  addHooks(server, options);
  server.addHook('onClose', (_server, done) => {
    services.answers.close();
    done();
  });
  void server.register(swagger, openApi);
  // Routes come after the plugin, which listens to what is added.
  void server.register((scope, _options, done) => {
    addRoutes(scope.withTypeProvider<TypeBoxTypeProvider>(), services, () => server.swagger());
    done();
  });
  return server;
}

/** In the order in which the documents list them. */
function addRoutes(routes: Server, services: Services, document: Parameters<typeof docsRoute>[1]): void {
  void routes.register((scope, _options, done) => {
    addQuestions(scope.withTypeProvider<TypeBoxTypeProvider>(), services);
    done();
  });
  void routes.register((scope, _options, done) => {
    const others: Server = scope.withTypeProvider<TypeBoxTypeProvider>();
    takePlainJson(others);
    homeRoute(others);
    assetsRoute(others);
    docsRoute(others, document);
    placeChangesRoutes(others, services);
    partsRoutes(others, services);
    operationRoutes(others, services);
    openApiRoute(others);
    done();
  });
  void routes.register((scope, _options, done) => {
    const streaming: Server = scope.withTypeProvider<TypeBoxTypeProvider>();
    batchesRoutes(streaming, services);
    putPartRoute(streaming, services);
    done();
  });
}

function addQuestions(server: Server, services: Services): void {
  if (services.readKeys === 'required') server.addHook('onRequest', requireKey(services));
  ratesRoute(server, services);
  void server.register((scope, _options, done) => {
    const unkept: Server = scope.withTypeProvider<TypeBoxTypeProvider>();
    takePlainJson(unkept);
    // Of these nothing is kept that could go out, and nobody waits for a database that is known to be away.
    unkept.addHook('onRequest', (_request, _reply, next) => {
      services.answers.head.asked(performance.now());
      next(services.answers.head.away);
    });
    ratesQueryRoute(unkept, services);
    historyRoutes(unkept, services);
    sourcesRoute(unkept, services);
    placesRoutes(unkept, services);
    done();
  });
}

function addHooks(server: Server, { emit, lifecycle, role }: ServerOptions): void {
  tellRequests(server, emit);
  server.addHook('onRequest', (request, reply, done) => {
    // Whatever has an entity tag says otherwise.
    reply.headers({ ...securityHeaders, 'request-id': request.id, 'cache-control': 'no-store' });
    if (!isUpload(request)) limitBodyTime(request, reply, limits.requestMilliseconds);
    done(checkAddress(request.url) ?? checkRole(role, request.method, request.url));
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    // Also for a request that began before the stop: its connection must not wait for another.
    if (lifecycle.stopping) reply.header('connection', 'close');
    done();
  });
  server.addHook('onSend', compressAnswer);
  server.addHook('onResponse', (request, _reply, done) => {
    linger(request);
    done();
  });
  server.setErrorHandler((error, request, reply) => sendProblem(reply, error, request.id, emit));
  server.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new FairwayError(
        'not_found',
        `there is nothing at ${request.method} ${request.url.split('?')[0]}; /docs lists what there is`,
      ),
      request.id,
      emit,
    ),
  );
}

const isUpload = ({ method, routeOptions }: FastifyRequest): boolean =>
  (method === 'POST' && routeOptions.url === contract.postBatch.url) ||
  (method === 'PUT' && routeOptions.url === contract.putPart.url);

function sendProblem(reply: FastifyReply, error: unknown, requestId: string, emit: Emit): FastifyReply {
  const { status, headers, body } = problemAnswer(error, requestId, emit);
  return reply.code(status).headers(headers).send(body);
}
