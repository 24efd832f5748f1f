/** GET /: JSON as the original service has it, and a page with a form for browsers. */
import { readWebFile, sendPageFile } from '../page-file.js';
import type { Server } from '../server.js';

export function homeRoute(server: Server): void {
  const page = readWebFile('home.html', 'text/html; charset=utf-8');
  server.get('/', async (request, reply) => {
    reply.header('vary', 'Accept');
    if (/\btext\/html\b/.test(request.headers.accept ?? '')) return sendPageFile(request, reply, page);
    return { message: 'Hello world!' };
  });
}
