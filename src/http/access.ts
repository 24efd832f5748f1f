/** Who may write: in goes a request's key, out comes nothing, or the refusal. */
import type { FastifyRequest } from 'fastify';
import { authenticate, type Scope } from '../access/keys.js';
import type { Services } from './server.js';

/** To be run before the handler. Where writes are open (embedded database, loopback) nobody is asked for a key. */
export const requireScope =
  ({ database, writes, deadline }: Pick<Services, 'database' | 'writes' | 'deadline'>, scope: Scope) =>
  async (request: FastifyRequest): Promise<void> => {
    if (writes === 'open') return;
    await authenticate(database, request.headers.authorization, scope, { deadline: deadline() });
  };
