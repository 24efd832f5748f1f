// A database of bench/scale: filled by the program's own commands, served by the program, looked into by SQL.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { cleanEnvironment } from '../support/children.mjs';
import { databaseOf, startService } from '../support/service.mjs';

const range = ['--from', '2021-01-01', '--to', '2030-12-31'];

export class Scale {
  constructor({ root, folder, dataDir, progress }) {
    Object.assign(this, { root, folder, dataDir, progress, program: join(root, 'dist', 'main.js') });
  }

  /** Whether it was there before. */
  async start() {
    const there = existsSync(join(this.dataDir, 'postgres.json'));
    mkdirSync(this.dataDir, { recursive: true });
    const log = join(this.folder, 'service.log');
    this.service = await startService({
      root: this.root,
      dataDir: this.dataDir,
      level: 'info',
      log,
      more: { FAIRWAY_ROLLUP_DEBT: '0', FAIRWAY_CACHE_MB: '0' },
    });
    this.url = this.service.url;
    this.client = new pg.Client(databaseOf(this.dataDir));
    this.client.on('error', () => undefined);
    await this.client.connect();
    return there;
  }

  async stop() {
    await this.client?.end();
    await this.service?.stop();
  }

  async query(text, values) {
    return (await this.client.query(text, values)).rows;
  }

  /** Lines of `fairway sample`, the same for the same words. */
  sample(items, seed) {
    const words = [this.program, 'sample', '--items', String(items), '--seed', String(seed), ...range];
    return spawn(process.execPath, words, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] })
      .stdout;
  }

  /** Publishes what a stream or text holds; throws unless it is published. Seconds from the first byte to the verdict. */
  async publish(body) {
    const begun = performance.now();
    await new Promise((resolve, reject) => {
      const sending = request(
        `${this.url}/batches`,
        { method: 'POST', headers: { 'content-type': 'text/csv' } },
        (answer) => {
          let text = '';
          answer.on('data', (chunk) => (text += chunk));
          answer.on('end', () =>
            answer.statusCode === 201
              ? resolve()
              : reject(new Error(`${answer.statusCode}: ${text.slice(0, 500)}`)),
          );
        },
      );
      sending.on('error', reject);
      if (typeof body === 'string') sending.end(body);
      else body.pipe(sending);
    });
    return (performance.now() - begun) / 1_000;
  }

  /** The sample in batches of so many lines each. */
  async *batches(count, lines, seed) {
    const input = this.sample(count * lines, seed);
    let rest = '';
    let header = '';
    let gathered = [];
    for await (const chunk of input) {
      const pieces = (rest + chunk).split('\n');
      rest = pieces.pop();
      if (header === '') header = pieces.shift();
      for (const line of pieces) {
        gathered.push(line);
        if (gathered.length < lines) continue;
        yield `${header}\n${gathered.join('\n')}\n`;
        gathered = [];
      }
    }
  }

  /** Seconds until the rollups stand for the newest revision. */
  async rolledUp() {
    const begun = performance.now();
    for (;;) {
      const [{ behind }] = await this.query(
        'select h.revision <> w.revision as behind from fairway.head h, fairway.rollup_state w',
      );
      // A question that finds them behind sets the roller going.
      await fetch(`${this.url}/rates?date_from=2021-01-01&date_to=2021-01-02&orig_code=A&dest_code=B`);
      if (!behind) return (performance.now() - begun) / 1_000;
      await delay(50);
    }
  }

  /** Nobody rolls up until what is returned is called. */
  async holdRoller() {
    const holder = new pg.Client(databaseOf(this.dataDir));
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('select pg_advisory_lock($1)', [0x726f6c6c]);
    return () => holder.end();
  }

  /** What a command of the program prints as JSON, and how many seconds it took. */
  async command(...words) {
    const begun = performance.now();
    const child = spawn(process.execPath, [this.program, ...words, '--json'], {
      env: cleanEnvironment({ FAIRWAY_DATA_DIR: this.dataDir }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`fairway ${words.join(' ')} ended with ${code}: ${text}`);
    return { seconds: (performance.now() - begun) / 1_000, ...JSON.parse(text) };
  }

  /** The number that a setting has where nobody sets it. */
  async setting(wanted) {
    const { settings } = await this.command('config');
    return Number(settings.find(({ name }) => name === wanted).value);
  }

  async tidy() {
    await this.query('vacuum analyze');
  }
}
