// The files that bench/ingest sends: generated once by `fairway sample`, each with what it holds, so that answers can be checked.
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { cleanEnvironment } from '../support/children.mjs';
import { readmeQuestion } from '../support/items.mjs';

const types = { csv: 'text/csv', ndjson: 'application/x-ndjson' };

/**
 * Makes files in a folder, or finds them there. `make({ items, seed, format, gzip })` gives
 * `{ path, items, readmeItems, bytes, headers }`; `readmeItems` of them are behind the README's question.
 */
export function fileMaker({ root, folder, progress }) {
  const made = new Map();
  return async ({ items, seed = 1, format = 'csv', gzip = false }) => {
    const name = `${items}-${seed}.${format}${gzip ? '.gz' : ''}`;
    const known = made.get(name);
    if (known) return known;
    progress.show(`making ${name}…`);
    const path = join(folder, name);
    const csv = join(folder, `${items}-${seed}.csv`);
    if (!existsSync(csv)) await whole(csv, (unfinished) => generate({ root, items, seed, unfinished }));
    if (!existsSync(path)) await whole(path, (unfinished) => convert(csv, { format, gzip }, unfinished));
    const headers = { 'content-type': types[format], ...(gzip ? { 'content-encoding': 'gzip' } : {}) };
    const file = { path, items, headers, bytes: statSync(path).size, readmeItems: await readmeItems(csv) };
    made.set(name, file);
    return file;
  };
}

async function whole(path, write) {
  await write(`${path}.unfinished`);
  renameSync(`${path}.unfinished`, path);
}

async function generate({ root, items, seed, unfinished }) {
  const words = ['sample', '--items', String(items), '--seed', String(seed)];
  const range = ['--from', '2021-01-01', '--to', '2030-12-31'];
  const child = spawn(process.execPath, [join(root, 'dist', 'main.js'), ...words, ...range], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await pipeline(child.stdout, createWriteStream(unfinished));
  const code = await ended;
  if (code !== 0) throw new Error(`fairway sample ended with ${code}`);
}

const convert = (csv, { format, gzip }, unfinished) =>
  pipeline([
    createReadStream(csv, { highWaterMark: 1 << 20 }),
    ...(format === 'ndjson' ? [asNdjson()] : []),
    ...(gzip ? [createGzip()] : []),
    createWriteStream(unfinished),
  ]);

function asNdjson() {
  let rest = '';
  let header = true;
  return new Transform({
    transform(chunk, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      if (header) lines.shift();
      header = false;
      done(null, lines.map(asObject).join(''));
    },
    flush: (done) => done(null, rest === '' ? '' : asObject(rest)),
  });
}

function asObject(line) {
  const [orig_code, dest_code, day, price] = line.split(',');
  return `${JSON.stringify({ orig_code, dest_code, day, price: Number(price) })}\n`;
}

/** Lines of the README's lane and month. */
async function readmeItems(csv) {
  const { origin, destination, from } = readmeQuestion;
  const start = Buffer.from(`\n${origin},${destination},${from.slice(0, 8)}`);
  let count = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(csv, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([rest, chunk]);
    let at = bytes.indexOf(start);
    for (; at >= 0; at = bytes.indexOf(start, at + 1)) count++;
    rest = Buffer.from(bytes.subarray(Math.max(0, bytes.length - start.length + 1)));
  }
  return count;
}

/** A CSV file cut at line ends into pieces of so many bytes, each to be sent under the header line. */
export async function piecesOf({ path, bytes }, pieceBytes) {
  const file = await open(path);
  try {
    const start = Buffer.alloc(1 << 10);
    await file.read(start, 0, start.length, 0);
    const header = start.toString('utf8', 0, start.indexOf(10) + 1);
    const pieces = [];
    for (let from = header.length; from < bytes;) {
      const near = from + pieceBytes - start.length;
      if (near >= bytes) {
        pieces.push({ path, header, start: from, end: bytes });
        break;
      }
      const { bytesRead } = await file.read(start, 0, start.length, near);
      const end = near + start.subarray(0, bytesRead).indexOf(10) + 1;
      pieces.push({ path, header, start: from, end });
      from = end;
    }
    return pieces;
  } finally {
    await file.close();
  }
}
