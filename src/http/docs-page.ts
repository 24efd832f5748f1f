/** The page at /docs: in goes the OpenAPI document, out comes HTML. Everything that is not ours is escaped. Pure. */
import { catalogue } from '../errors.js';
import { limitWords, resolver, shapeLines, typeWords, type Resolve, type Schema } from './openapi-schema.js';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
  example?: unknown;
}

interface MediaType {
  schema?: Schema;
  example?: unknown;
}

interface Response {
  description?: string;
  headers?: Readonly<Record<string, { description?: string }>>;
  content?: Readonly<Record<string, MediaType>>;
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: readonly string[];
  deprecated?: boolean;
  parameters?: readonly Parameter[];
  requestBody?: { description?: string; content?: Readonly<Record<string, MediaType>> };
  responses?: Readonly<Record<string, Response>>;
}

/** The part of OpenAPI 3 that the page shows. */
export interface OpenApiDocument {
  info: { title: string; version: string; description?: string };
  servers?: readonly { url: string }[];
  paths?: Readonly<Record<string, object | undefined>>;
  components?: object;
}

interface Endpoint {
  method: string;
  path: string;
  id: string;
  operation: Operation;
  parameters: readonly Parameter[];
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];

export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;

/** Paragraphs at empty lines, code between backticks; nothing else of Markdown. */
const prose = (text: string | undefined): string =>
  (text ?? '')
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('\n');

const inline = (text: string | undefined): string =>
  (text ?? '')
    .split('`')
    .map((piece, index) => (index % 2 === 1 ? code(piece) : escapeHtml(piece)))
    .join('');

/**
 * A table that scrolls within its frame where the window is narrow; the frame can be reached by keyboard. Columns with
 * nothing in them are left out.
 */
function table(label: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.map((_, index) => rows.some((row) => row[index] !== ''));
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, index) => (index === 0 ? `<th scope="row">${cell}</th>` : `<td>${cell}</td>`))
      .filter((_, index) => used[index])
      .join('');
  const names = head.filter((_, index) => used[index]).map((cell) => `<th scope="col">${cell}</th>`);
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(label)}"><table>
<thead><tr>${names.join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n')}</tbody></table></div>`;
}

const pre = (label: string, text: string): string =>
  `<pre role="region" tabindex="0" aria-label="${escapeHtml(label)}"><code>${escapeHtml(text)}</code></pre>`;

export function renderDocs(document: OpenApiDocument): string {
  const resolve = resolver(document);
  const endpoints = endpointsOf(document, resolve);
  const base = (document.servers?.[0]?.url ?? 'http://127.0.0.1:3000').replace(/\/+$/, '');
  const contents = endpoints.map(
    ({ id, method, path, operation }) =>
      `<li><a href="#${id}">${signature(method, path)}</a> ${escapeHtml(operation.summary ?? '')}</li>`,
  );
  return frame(`<h1>${escapeHtml(document.info.title)} <small>${escapeHtml(document.info.version)}</small></h1>
${prose(document.info.description)}
<p>For machines: <a href="/openapi.json">/openapi.json</a> (OpenAPI). To ask for a rate: <a href="/">the form</a>.</p>
<nav aria-label="Endpoints"><ul class="contents">
${contents.join('\n')}
<li><a href="#errors">Error codes</a></li>
</ul></nav>
${endpoints.map((endpoint) => section(endpoint, base, resolve)).join('\n')}
${errorCodes()}`);
}

function endpointsOf(document: OpenApiDocument, resolve: Resolve): Endpoint[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, value]) => {
    const item = (value ?? {}) as Readonly<Record<string, unknown>>;
    return methods.flatMap((method) => {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) return [];
      const shared = (item['parameters'] ?? []) as readonly Parameter[];
      const id = `${method}-${path.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')}`;
      const parameters = [...shared, ...(operation.parameters ?? [])].map((parameter) => resolve(parameter));
      return [{ method, path, id, operation, parameters }];
    });
  });
}

/** A line may break after each slash, so that long paths fit a narrow window. */
const signature = (method: string, path: string): string =>
  `<code class="signature"><b>${method.toUpperCase()}</b> ${escapeHtml(path).replaceAll('/', '/<wbr>')}</code>`;

function section(endpoint: Endpoint, base: string, resolve: Resolve): string {
  const { id, method, path, operation, parameters } = endpoint;
  const name = `${method.toUpperCase()} ${path}`;
  const parts = [
    `<section class="endpoint" aria-labelledby="${id}">`,
    `<h2 id="${id}">${signature(method, path)}</h2>`,
    operation.deprecated ? '<p><strong>Deprecated.</strong></p>' : '',
    operation.summary ? `<p class="lead">${inline(operation.summary)}</p>` : '',
    prose(operation.description),
    parameters.length > 0 ? `<h3>Parameters</h3>${parameterTable(name, parameters, resolve)}` : '',
    bodyOf(name, operation, resolve),
    `<h3>Example</h3><pre class="wrap"><code>${escapeHtml(curl(endpoint, base))}</code></pre>`,
    responsesOf(name, operation, resolve),
    '</section>',
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function parameterTable(name: string, parameters: readonly Parameter[], resolve: Resolve): string {
  const rows = parameters.map((parameter) => {
    const schema = resolve(parameter.schema ?? {});
    const kind = [typeWords(schema, resolve), limitWords(schema)].filter((text) => text !== '').join('; ');
    const required = parameter.required ? 'required' : 'optional';
    return [
      code(parameter.name),
      `${escapeHtml(parameter.in)}, ${required}`,
      escapeHtml(kind),
      inline(parameter.description ?? schema.description),
    ];
  });
  return table(`Parameters of ${name}`, ['Name', 'Where', 'Type', 'Meaning'], rows);
}

function bodyOf(name: string, operation: Operation, resolve: Resolve): string {
  if (!operation.requestBody) return '';
  const { description, content } = resolve(operation.requestBody);
  return `<h3>Body</h3>${prose(description)}${contentOf(`Body of ${name}`, content, resolve)}`;
}

function responsesOf(name: string, operation: Operation, resolve: Resolve): string {
  const responses = Object.entries(operation.responses ?? {}).map(
    ([status, given]) => [status, resolve(given)] as const,
  );
  if (responses.length === 0) return '';
  const rows = responses.map(([status, { description, headers, content }]) => [
    code(status),
    inline(description),
    Object.keys(content ?? {})
      .map(code)
      .join(', '),
    Object.keys(headers ?? {})
      .map(code)
      .join(', '),
  ]);
  const shapes = responses
    .filter(([status]) => status.startsWith('2'))
    .map(([status, { content }]) => contentOf(`Answer ${status} of ${name}`, content, resolve));
  return `<h3>Answers</h3>${table(`Answers of ${name}`, ['Status', 'Meaning', 'Type', 'Headers'], rows)}${shapes.join('')}`;
}

/** An example where the document has one, else the shape. Types of one shape share it. */
function contentOf(label: string, content: Response['content'], resolve: Resolve): string {
  const shapes = new Map<string, string[]>();
  for (const [type, { schema, example }] of Object.entries(content ?? {})) {
    const shown = example ?? (schema ? resolve(schema).example : undefined);
    const text =
      typeof shown === 'string'
        ? shown
        : shown === undefined
          ? shapeLines(schema ?? {}, resolve).join('\n')
          : JSON.stringify(shown, null, 2);
    shapes.set(text, [...(shapes.get(text) ?? []), type]);
  }
  return [...shapes]
    .map(
      ([text, types]) => `<p>${types.map(code).join(', ')}</p>${pre(`${label}, ${types.join(', ')}`, text)}`,
    )
    .join('');
}

/** A command to paste: required parameters and those with an example. */
function curl({ method, path, operation, parameters }: Endpoint, base: string): string {
  const valueOf = ({ name, example, schema }: Parameter): string => {
    const value = example ?? schema?.example ?? schema?.examples?.[0] ?? schema?.default;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : name.toUpperCase();
  };
  const shown = parameters.filter(
    ({ required, example, schema }) =>
      required || example !== undefined || schema?.example !== undefined || schema?.examples !== undefined,
  );
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
    return encodeURIComponent(valueOf(parameter ?? { name, in: 'path' }));
  });
  const query = shown
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(valueOf(parameter))}`)
    .join('&');
  const words = ['curl'];
  if (method !== 'get') words.push('-X', method.toUpperCase());
  for (const parameter of shown.filter((one) => one.in === 'header'))
    words.push('-H', quoted(`${parameter.name}: ${valueOf(parameter)}`));
  const type = Object.keys(operation.requestBody?.content ?? {})[0];
  if (type !== undefined) words.push('-H', quoted(`Content-Type: ${type}`), '--data-binary', '@FILE');
  return [...words, quoted(`${base}${filled}${query === '' ? '' : `?${query}`}`)].join(' ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function errorCodes(): string {
  const rows = Object.entries(catalogue)
    .sort(([, one], [, other]) => one.status - other.status)
    .map(([name, { status, title }]) => [code(name), String(status), escapeHtml(title)]);
  return `<section aria-labelledby="errors"><h2 id="errors">Error codes</h2>
<p>An error is a problem document (RFC 9457, <code>application/problem+json</code>): <code>status</code>, <code>title</code>,
<code>detail</code>, <code>code</code> from this table, <code>request_id</code>, and <code>errors</code> with a fault for each parameter.
Some of these codes occur on the command line only.</p>
${table('Table of error codes', ['Code', 'Status', 'Meaning'], rows)}</section>`;
}

const frame = (main: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fairway: documentation</title>
<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="site"><a class="brand" href="/">Fairway</a>
<nav aria-label="Site"><a href="/">Ask for a rate</a> <a href="/docs" aria-current="page">Documentation</a></nav></header>
<main id="main" class="docs">
${main}
</main>
</body>
</html>
`;
