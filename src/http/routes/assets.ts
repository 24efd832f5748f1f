/** GET /assets/…: styles, scripts and the icon of the pages, from web/, read once at start. */
import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { readWebFile, sendPageFile, webFolder, type PageFile } from '../page-file.js';
import type { Server } from '../server.js';

/** What else lies in web/ (the page itself, the settings of the type check) is not served here. */
const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export function assetsRoute(server: Server): void {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(webFolder)) {
    const type = types[extname(name)];
    if (type !== undefined) files.set(name, readWebFile(name, type));
  }
  // A route for each file: a name that is not in the folder, or leaves it, is simply not there.
  for (const [name, file] of files) {
    server.get(`/assets/${name}`, (request, reply) => sendPageFile(request, reply, file));
  }
  const icon = files.get('favicon.svg');
  if (icon) server.get('/favicon.ico', (request, reply) => sendPageFile(request, reply, icon));
}
