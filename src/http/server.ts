/** The HTTP server: in goes a database, out come answers. Routes are a file each; this one holds what they share. */
import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Database } from '../database/database.js';
import type { Emit } from '../events.js';
import { codeOf, FairwayError } from '../errors.js';
import { asFairwayError, renderProblem } from './render-error.js';
import { healthRoutes } from './routes/health.js';
import { homeRoute } from './routes/home.js';
import { ratesRoute } from './routes/rates.js';

export interface Services {
  database: Database;
  emit: Emit;
}

const headersMilliseconds = 10_000;
const requestMilliseconds = 60_000;

const newServer = () =>
  Fastify({
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: 1 << 20,
    requestTimeout: requestMilliseconds,
    http: { headersTimeout: headersMilliseconds },
    // Idle keep-alive connections would otherwise hold up a stop for as long as their clients like.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // A malformed path must get the same kind of answer as everything else.
    frameworkErrors: (error, request, reply) =>
      void sendProblem(reply as unknown as FastifyReply, error, request.id),
    schemaErrorFormatter: (errors) =>
      new Error(errors.map((error) => `${error.instancePath} ${error.message ?? ''}`).join('; ')),
  }).withTypeProvider<TypeBoxTypeProvider>();

export type Server = ReturnType<typeof newServer>;

export function createServer(services: Services): Server {
  const server = newServer();
  server.addHook('onResponse', async (request, reply) => {
    services.emit({
      kind: 'request',
      id: request.id,
      method: request.method,
      url: request.url,
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
    });
  });
  server.setErrorHandler((error, request, reply) => {
    const known = asFairwayError(error);
    // That the database is away is said once, by the database itself; a line per request would bury it.
    if (known.code === 'internal_error')
      services.emit({ kind: 'request-failed', id: request.id, error: known.cause ?? known });
    return sendProblem(reply, known, request.id);
  });
  server.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new FairwayError(
        'not_found',
        `there is nothing at ${request.method} ${request.url.split('?')[0]}; see /`,
      ),
      request.id,
    ),
  );
  homeRoute(server);
  healthRoutes(server, services);
  ratesRoute(server, services);
  return server;
}

function sendProblem(reply: FastifyReply, error: unknown, requestId: string): FastifyReply {
  const known = asFairwayError(error);
  if (known.status === 503) reply.header('retry-after', '1');
  return reply
    .code(known.status)
    .type('application/problem+json')
    .send(JSON.stringify(renderProblem(known, requestId)));
}

/** Listens, or says plainly why it cannot. Returns the address to ask. */
export async function listen(server: FastifyInstance | Server, host: string, port: number): Promise<string> {
  try {
    return await (server as FastifyInstance).listen({ host, port });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE') {
      throw new FairwayError(
        'port_in_use',
        `port ${port} on ${host} is taken by another program; stop it, or choose another with FAIRWAY_PORT`,
      );
    }
    if (code === 'EACCES') {
      throw new FairwayError(
        'port_in_use',
        `port ${port} needs rights this user lacks; choose one above 1023 with FAIRWAY_PORT`,
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new FairwayError(
        'configuration_invalid',
        `FAIRWAY_HOST: '${host}' is not an address of this machine`,
      );
    }
    throw error;
  }
}
