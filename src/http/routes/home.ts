/** GET /: JSON as the original service has it, and a short page for browsers. */
import type { Server } from '../server.js';

const example = '/rates?date_from=2021-01-01&date_to=2021-01-31&orig_code=CNGGZ&dest_code=EETLL';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fairway</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}a{overflow-wrap:anywhere}</style>
<h1>Fairway</h1>
<p>Freight rates: the average price per day of a lane, from one port to another.</p>
<p>Try <a href="${example.replaceAll('&', '&amp;')}">${example.replaceAll('&', '&amp;')}</a></p>
</html>
`;

export function homeRoute(server: Server): void {
  server.get('/', async (request, reply) => {
    reply.header('vary', 'Accept');
    if (/\btext\/html\b/.test(request.headers.accept ?? ''))
      return reply.type('text/html; charset=utf-8').send(page);
    return { message: 'Hello world!' };
  });
}
