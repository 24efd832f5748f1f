import { expect, test } from 'vitest';
import { renderDocs } from '../../src/http/docs-page.js';
import { createServer, type Server } from '../../src/http/server.js';
import type { Database } from '../../src/database/database.js';
import { sampleOpenApi } from '../support/openapi.js';
import { defaults } from '../support/server.js';

/** The pages ask no database. */
async function withPages(work: (server: Server) => Promise<void>): Promise<void> {
  const server = createServer(defaults({} as Database, () => undefined));
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** Whatever a strict Content-Security-Policy would refuse to run or apply. */
const refused =
  /<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc="\/assets\/)|<(?:link|img|script)[^>]*"https?:/i;

/** The tags alone: what is escaped text may say anything. */
const tagsOf = (page: string): string => page.match(/<[^>]+>/g)?.join('\n') ?? '';

test('the home page is JSON, and HTML for those who ask for HTML', () =>
  withPages(async (server) => {
    const json = await server.inject({ url: '/', headers: { accept: '*/*' } });
    expect(json.json()).toEqual({ message: 'Hello world!' });
    expect(json.headers['vary']).toContain('Accept');
    const page = await server.inject({ url: '/', headers: browser });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['vary']).toContain('Accept');
    expect(page.body).toContain('<h1>Freight rates</h1>');
  }));

test('without JavaScript the form asks /rates with its own parameter names', () =>
  withPages(async (server) => {
    const { body } = await server.inject({ url: '/', headers: browser });
    expect(body).toMatch(/<form[^>]*action="\/rates"[^>]*method="get"/);
    const names = [...body.matchAll(/<input[^>]*?\sname="([^"]+)"/g)].map(([, name]) => name);
    expect(names).toEqual(['origin', 'destination', 'date_from', 'date_to']);
  }));

test.each(['/', '/docs'])('%s runs under a strict policy: nothing inline, nothing from elsewhere', (url) =>
  withPages(async (server) => {
    const page = await server.inject({ url, headers: browser });
    expect(page.statusCode).toBe(200);
    expect(tagsOf(page.body)).not.toMatch(refused);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
  }),
);

test.each([
  '<p style="color:red">',
  '<a onclick="x()">',
  '<script>x</script>',
  '<script src="https://cdn.example/x.js">',
  '<style>p{}</style>',
])('the pattern of the test above finds %s', (markup) => expect(markup).toMatch(refused));

test('everything the pages load is served with its type, and not again to those who have it', () =>
  withPages(async (server) => {
    const types: Record<string, string> = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
    const found = new Set<string>();
    const visit = async (url: string): Promise<void> => {
      if (found.has(url)) return;
      found.add(url);
      const answer = await server.inject({ url });
      expect(answer.statusCode, url).toBe(200);
      expect(answer.headers['content-type'], url).toContain(types[url.split('.').at(-1) ?? '']);
      expect(answer.headers['cache-control'], url).toBe('no-cache');
      const etag = String(answer.headers['etag']);
      const again = await server.inject({ url, headers: { 'if-none-match': `W/"x", ${etag}` } });
      expect([again.statusCode, again.body], url).toEqual([304, '']);
      for (const [, name] of answer.body.matchAll(/from '\.\/([^']+)'/g)) await visit(`/assets/${name}`);
    };
    for (const page of ['/', '/docs']) {
      const { body } = await server.inject({ url: page, headers: browser });
      for (const [, url] of body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) await visit(url ?? '');
    }
    expect([...found]).toEqual(
      expect.arrayContaining(['/assets/style.css', '/assets/home.js', '/assets/chart.js']),
    );
    const icon = await server.inject({ url: '/favicon.ico' });
    expect([icon.statusCode, icon.headers['content-type']]).toEqual([200, 'image/svg+xml']);
  }));

test.each([
  '/assets/',
  '/assets/nothing.js',
  '/assets/home.html',
  '/assets/tsconfig.json',
  '/assets/../package.json',
  '/assets/..%2fpackage.json',
  '/assets/%2e%2e/package.json',
  '/assets/..%5cpackage.json',
  '/assets//etc/passwd',
])('%s is not there', (url) =>
  withPages(async (server) => {
    const answer = await server.inject({ url });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found' });
  }),
);

test('the documentation shows endpoints, parameters, answers, an example, and the codes of errors', () => {
  const page = renderDocs(sampleOpenApi);
  expect(page).toContain('<h2 id="get-rates"><code class="signature"><b>GET</b> /<wbr>rates</code></h2>');
  expect(page).toContain('<a href="#put-batches-id-parts-n">');
  expect(page).toContain(
    '<th scope="row"><code>date_from</code></th><td>query, required</td><td>string or list of string</td><td>First day, YYYY-MM-DD</td>',
  );
  expect(page).toContain('<td>integer; 1 to 9999</td>');
  expect(page).toContain(
    'curl &#39;http://127.0.0.1:3000/rates?date_from=2021-01-01&amp;date_to=2021-01-31&amp;origin=CNGGZ&amp;destination=EETLL&#39;',
  );
  expect(page).toContain(
    'curl -X PUT -H &#39;Idempotency-Key: IDEMPOTENCY-KEY&#39; -H &#39;Content-Type: text/csv&#39; --data-binary @FILE &#39;http://127.0.0.1:3000/batches/it&#39;\\&#39;&#39;s%2Fone/parts/N&#39;',
  );
  expect(page).toContain('<p>Every answer names its <code>Rates-Revision</code>.</p>');
  expect(page).toContain('<td>A place is not known</td><td><code>application/problem+json</code></td>');
  expect(page).toContain('<th scope="row"><code>database_unavailable</code></th><td>503</td>');
  expect(page).toContain(`{
  rates: [{
    count: integer or null  // Prices of the day; null for none
    day: string (date)
    price: number or null  // Their average; null below three
  }, …]
}`);
});

test('whatever the document holds is text in the page', () => {
  const page = renderDocs(sampleOpenApi);
  expect(tagsOf(page)).not.toMatch(refused);
  expect(page).not.toMatch(/<(?:script|img|i|u|s|em)[\s>]/);
  expect(page).toContain(
    '&lt;script&gt;alert(2)&lt;/script&gt; <code>&lt;b&gt;</code> &amp; &quot;quoted&quot;',
  );
  expect(page.match(/<main/g)).toHaveLength(1);
});

test('a document of nothing is a page all the same', () => {
  expect(renderDocs({ info: { title: 'Fairway', version: '0' } })).toContain('Error codes');
});
