/** GET /docs: the OpenAPI document as a page to read. */
import { renderDocs, type OpenApiDocument } from '../docs-page.js';
import { pageFile, sendPageFile, type PageFile } from '../page-file.js';
import type { Server } from '../server.js';

/** The document is asked for at the first request: it is complete only once every route is declared. */
export function docsRoute(server: Server, getOpenApi: () => OpenApiDocument): void {
  let page: PageFile | undefined;
  server.get('/docs', (request, reply) => {
    page ??= pageFile('text/html; charset=utf-8', renderDocs(getOpenApi()));
    return sendPageFile(request, reply, page);
  });
}
