/** GET /openapi.json: the contract, generated from the table of routes. */
import type { Server } from '../server.js';

export function openApiRoute(server: Server): void {
  server.get('/openapi.json', () => server.swagger());
}
