/** Who asks: in goes a request's key, out comes the caller, or the refusal. */
import type { FastifyRequest } from 'fastify';
import { authenticate, type Scope } from '../access/keys.js';
import type { Caller } from '../ingest/upload/context.js';
import type { Services } from './server.js';

const callers = new WeakMap<FastifyRequest, Caller>();

/**
 * To be run before the handler: the key must have one of the scopes, or `admin`. Where writes are open (embedded
 * database, loopback) nobody is asked for a key.
 */
export const requireScope =
  (
    { database, writes, deadline }: Pick<Services, 'database' | 'writes' | 'deadline'>,
    ...accepted: [Scope, ...Scope[]]
  ) =>
  async (request: FastifyRequest): Promise<void> => {
    if (writes === 'open') {
      callers.set(request, { key: null, all: true });
      return;
    }
    const { id, scopes } = await authenticate(database, request.headers.authorization, accepted, {
      deadline: deadline(),
    });
    callers.set(request, { key: id, all: scopes.includes('admin') });
  };

/** Who was let in by `requireScope`. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error(`${request.url} does not ask who calls`);
  return caller;
}
