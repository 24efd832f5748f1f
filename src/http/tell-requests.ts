/** An event for each request that the router has, also for one whose answer never went out whole: in go hooks, out come `request` events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Emit, FairwayEvent } from '../events.js';
import { catalogue } from '../errors.js';
import { isStream } from './compress.js';
import { problemAnswer } from './render-error.js';
import type { Server } from './server.js';

const gone = catalogue.client_gone.status;

/** To be called before other hooks are added that replace what is sent. */
export function tellRequests(server: Server, emit: Emit): void {
  const told = new WeakSet<FastifyReply>();
  /** Of answers that broke off on the way, the status of what broke them. */
  const broken = new WeakMap<FastifyReply, number>();
  server.addHook('onRequest', (request, reply, done) => {
    // Fastify calls no hook where the connection closes before the answer is out.
    reply.raw.once('close', () => {
      if (!told.has(reply)) emit(requestEvent(request, reply, broken.get(reply) ?? gone));
    });
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    if (isStream(payload))
      payload.once('error', (error) => {
        // Before that it is the answer, as any other error.
        if (reply.raw.headersSent) broken.set(reply, problemAnswer(error, request.id, emit).status);
      });
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    told.add(reply);
    emit(requestEvent(request, reply));
    done();
  });
}

export const requestEvent = (
  request: FastifyRequest,
  reply: FastifyReply,
  status = reply.statusCode,
): FairwayEvent => ({
  kind: 'request',
  id: request.id,
  method: request.method,
  url: request.url,
  route: request.routeOptions.url ?? 'none',
  status,
  milliseconds: reply.elapsedTime,
});
