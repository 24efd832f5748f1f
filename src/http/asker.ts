/** Who asks a question, and whether they are still there: in goes a request, out come the options of its question. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAway } from '../access/readers.js';
import { clientGone } from '../errors.js';
import type { AskOptions } from '../query/cost.js';
import type { Services } from './server.js';

type AskerServices = Pick<Services, 'readers' | 'deadline' | 'budgets' | 'proxies'>;

/** For a request that shows a key: whoever has a valid one has a budget of its own, wherever it asks from. */
export async function askerWithKey(
  services: AskerServices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<AskOptions> {
  const { readers, deadline } = services;
  // Where questions need no key, a wrong one is as good as none, and so is one that nobody can look up.
  const key = await readers
    .find(request.headers.authorization, { deadline: deadline() })
    .catch((error: unknown) => {
      if (isAway(error)) return undefined;
      throw error;
    });
  return askerOf(services, request, response, key && `key ${key}`);
}

/** `name`: who it is, where that is known better than by the address. */
export function askerOf(
  { deadline, budgets, proxies }: Omit<AskerServices, 'readers'>,
  request: IncomingMessage,
  response: ServerResponse,
  name?: string,
): AskOptions {
  const gone = new AbortController();
  const left = (): void => {
    if (!response.writableFinished) gone.abort(clientGone());
  };
  response.once('close', left);
  // A response that waits for others of its connection never had it, and hears nothing.
  request.once('close', () => {
    if (request.socket.destroyed) left();
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
