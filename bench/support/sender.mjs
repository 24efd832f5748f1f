// Who sends batches, the same for all cases: plain `node:http` over keep-alive connections, in a process of its own.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });
/** What is read into memory before the clock starts; larger files are streamed. */
const wholeBytes = 8 << 20;
const readBytes = 1 << 20;
const bodies = new Map();

const tasks = { send, batches, publishing, ask, parts };

process.once('message', () => {
  process.on('message', (task) => void work(task));
  process.send({ ready: true });
});
process.once('disconnect', () => process.exit());

async function work({ kind, ...task }) {
  try {
    process.send(await tasks[kind](task));
  } catch (error) {
    process.send({ failure: String(error?.stack ?? error) });
  }
}

/** Sends a file as a batch, then asks until an answer is of its revision or later. Milliseconds since the start. */
async function send({ url, file, question }) {
  const body = bodyOf(file);
  const begun = performance.now();
  const { batch } = await post(url, file, body);
  const verdict = performance.now() - begun;
  if (question === undefined) return { verdict, batch };
  for (;;) {
    const { headers, json } = await exchange('GET', url + question, {});
    if (Number(headers['rates-revision']) < batch.revision) continue;
    return { verdict, visible: performance.now() - begun, batch, rates: json.rates };
  }
}

/** `clients` at once, each sending `each` of the files in turn, one after the other. */
async function batches({ url, files, clients, each }) {
  const loaded = files.map((file) => ({ file, body: bodyOf(file) }));
  let items = 0;
  let next = 0;
  const begun = performance.now();
  const client = async () => {
    for (let index = 0; index < each; index++) {
      const { file, body } = loaded[next++ % loaded.length];
      await post(url, file, body);
      items += file.items;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const milliseconds = performance.now() - begun;
  return { items, milliseconds, perSecond: (items / milliseconds) * 1_000 };
}

/** The files in turn, one after the other, for so long. */
async function publishing({ url, files, milliseconds }) {
  const begun = performance.now();
  let published = 0;
  while (performance.now() - begun < milliseconds) {
    const file = files[published % files.length];
    await post(url, file, bodyOf(file));
    published++;
  }
  return { perSecond: (published / (performance.now() - begun)) * 1_000 };
}

/** One request; milliseconds until its answer was read. */
async function ask({ method, url, json }) {
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const headers =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length };
  const begun = performance.now();
  const answer = await exchange(method, url, headers, body);
  return { milliseconds: performance.now() - begun, json: answer.json };
}

/** Opens a batch in parts and sends them over so many streams at once; publishing is left to the caller. */
async function parts({ url, pieces, streams }) {
  const begun = performance.now();
  const { json: batch } = await ask({
    method: 'POST',
    url: `${url}/batches`,
    json: { parts: true, format: 'csv' },
  });
  let next = 0;
  let items = 0;
  const stream = async () => {
    while (next < pieces.length) {
      const part = ++next;
      const body = await pieceOf(pieces[part - 1]);
      const digest = createHash('sha256').update(body).digest('base64');
      const { json } = await exchange(
        'PUT',
        `${url}/batches/${batch.id}/parts/${part}`,
        {
          'content-type': 'text/csv',
          'content-length': body.length,
          'content-digest': `sha-256=:${digest}:`,
        },
        body,
      );
      items += json.items;
    }
  };
  await Promise.all(Array.from({ length: streams }, stream));
  return { batch: batch.id, items, parts: pieces.length, milliseconds: performance.now() - begun };
}

/** A piece of a CSV file, under the header line. */
async function pieceOf({ path, header, start, end }) {
  const body = Buffer.allocUnsafe(header.length + end - start);
  body.write(header);
  const file = await open(path);
  try {
    await file.read(body, header.length, end - start, start);
  } finally {
    await file.close();
  }
  return body;
}

function bodyOf({ path, bytes }) {
  if (bytes > wholeBytes) return undefined;
  if (!bodies.has(path)) bodies.set(path, readFileSync(path));
  return bodies.get(path);
}

async function post(url, { path, bytes, headers, items }, body) {
  const more = { ...headers, 'content-length': bytes };
  const stream = body ?? createReadStream(path, { highWaterMark: readBytes });
  const { json: batch } = await exchange('POST', `${url}/batches`, more, stream);
  if (batch.state !== 'published' || batch.items !== items)
    throw new Error(`${path}: ${items} items sent, the answer is ${JSON.stringify(batch)}`);
  return { batch };
}

function exchange(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode >= 300)
          return reject(new Error(`${method} ${url}: ${response.statusCode} ${text.slice(0, 1_000)}`));
        resolve({ headers: response.headers, json: JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    if (body === undefined || Buffer.isBuffer(body)) sent.end(body);
    else body.on('error', reject).pipe(sent);
  });
}
