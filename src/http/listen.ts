/** Listening: in go a host and a port, out comes the address to ask, or a plain word why not. */
import type { FastifyInstance } from 'fastify';
import { codeOf, FairwayError } from '../errors.js';
import type { Server } from './server.js';

/** Throws `port_in_use` or `configuration_invalid`. */
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
