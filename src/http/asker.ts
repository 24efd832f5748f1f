/** Who asks a question, and whether they are still there: in goes a request, out come the options of its question. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate, scopes } from '../access/keys.js';
import { FairwayError } from '../errors.js';
import type { AskOptions } from '../query/cost.js';
import type { Services } from './server.js';

type AskerServices = Pick<Services, 'database' | 'deadline' | 'budgets' | 'proxies'>;

/** For a request that shows a key: whoever has a valid one has a budget of its own, wherever it asks from. */
export async function askerWithKey(
  services: AskerServices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<AskOptions> {
  const { authorization } = request.headers;
  const options = { deadline: services.deadline() };
  const key =
    authorization === undefined
      ? undefined
      : await authenticate(services.database, authorization, scopes, options).catch((error: unknown) => {
          // Questions need no key; a wrong one is as good as none.
          if (error instanceof FairwayError && error.code === 'unauthenticated') return undefined;
          throw error;
        });
  return askerOf(services, request, response, key && `key ${key.id}`);
}

/** `name`: who it is, where that is known better than by the address. */
export function askerOf(
  { deadline, budgets, proxies }: Omit<AskerServices, 'database'>,
  request: IncomingMessage,
  response: ServerResponse,
  name?: string,
): AskOptions {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client has gone'));
  });
  return {
    deadline: deadline(),
    signal: gone.signal,
    charge: (rows) => budgets.charge(name ?? addressOf(request, proxies), rows),
  };
}

/**
 * The client's address: what the outermost of the trusted proxies saw. Whatever stands before that in the header the
 * client may have written itself.
 */
export function addressOf({ headers, socket }: IncomingMessage, proxies: number): string {
  const forwarded = proxies === 0 ? undefined : headers['x-forwarded-for'];
  const list = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? ''))
    .split(',')
    .map((text) => text.trim());
  const address = forwarded === undefined ? undefined : (list.at(-proxies) ?? list[0]);
  return address || (socket.remoteAddress ?? 'unknown');
}
