/** Who asks: in goes a request's key, out comes the caller, or the refusal. */
import type { FastifyRequest } from 'fastify';
import { authenticate, unauthenticated, type Scope } from '../access/keys.js';
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

/** The same for questions, where they take a key: any key, whatever its scopes. */
export const requireKey =
  ({ readers, deadline }: Pick<Services, 'readers' | 'deadline'>) =>
  async ({ headers: { authorization } }: FastifyRequest): Promise<void> => {
    if ((await readers.find(authorization, { deadline: deadline() })) === undefined)
      throw unauthenticated(authorization);
  };

/** Who was let in by `requireScope`. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error(`${request.url} does not ask who calls`);
  return caller;
}
