// What a plain COPY costs: psql's \copy where psql is found, else the same statement fed from a file by pg-copy-streams
// in this process. In goes { table, path }, out come milliseconds.
import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const packages = '/usr/lib/postgresql';

process.once('message', ({ connection, plain }) => {
  const psql = plain ? undefined : findPsql();
  const copy = psql === undefined ? copyByNode(connection) : copyByPsql(psql, connection);
  process.on('message', (task) => {
    copy(task).then(
      (milliseconds) => process.send({ milliseconds }),
      (error) => process.send({ failure: String(error?.stack ?? error) }),
    );
  });
  process.send({ program: psql === undefined ? 'COPY by pg-copy-streams' : versionOf(psql) });
});
process.once('disconnect', () => process.exit());

function findPsql() {
  if (spawnSync('psql', ['--version']).status === 0) return 'psql';
  if (!existsSync(packages)) return undefined;
  return readdirSync(packages)
    .map((version) => join(packages, version, 'bin', 'psql'))
    .findLast((path) => existsSync(path));
}

const versionOf = (psql) => `\\copy by ${spawnSync(psql, ['--version'], { encoding: 'utf8' }).stdout.trim()}`;

/** As psql itself times it: without its start and the connection. */
const copyByPsql =
  (psql, { host, port, user, password, database }) =>
  async ({ table, path }) => {
    const child = spawn(
      psql,
      ['-qX', '-v', 'ON_ERROR_STOP=1', '-h', host, '-p', port, '-U', user, database],
      {
        env: { PATH: process.env.PATH, PGPASSWORD: password },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.stdin.end(`\\timing on\n\\copy ${table} from '${path}' with (format csv, header)\n`);
    const code = await new Promise((resolve) => child.once('close', resolve));
    const time = /Time: ([0-9.]+) ms/.exec(text)?.[1];
    if (code !== 0 || time === undefined) throw new Error(`psql ended with ${code}: ${text}`);
    return Number(time);
  };

function copyByNode(connection) {
  const client = new pg.Client(connection);
  const connected = client.connect();
  return async ({ table, path }) => {
    await connected;
    const begun = performance.now();
    const file = createReadStream(path, { highWaterMark: 1 << 16 });
    await pipeline(file, client.query(copyFrom(`copy ${table} from stdin with (format csv, header)`)));
    return performance.now() - begun;
  };
}
