// A hot standby that streams from the embedded primary of a drill, or of a test. It begins as a copy of the stopped
// primary: the package has no pg_basebackup. Its replay can be paused, so that it lags on purpose.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { databaseOf, running, withDatabase } from './service.mjs';

/**
 * @typedef {{ host: string, port: number, user: string, password: string, database: string, folder: string }} Details
 * @typedef {(text: string, values?: unknown[]) => Promise<Record<string, any>[]>} Query of the standby
 */

/** As `cp -a` does: owners and modes as they are. @param {string} from @param {string} to folders of clusters */
export function copyCluster(from, to) {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  writeFileSync(join(to, 'data', 'standby.signal'), '');
}

/** @param {Details} primary */
export const standbySettings = ({ host, port, user, password }) => ({
  hot_standby: 'on',
  primary_conninfo: `host=${host} port=${port} user=${user} password=${password} application_name=standby`,
});

/** @param {Query} query @param {string} condition @param {unknown[]} [values] */
async function until(query, condition, values) {
  while (!(await query(`select ${condition} as met`, values))[0]?.['met']) await delay(10);
}

/** Nothing more is replayed once this has resolved. @param {Query} query */
export async function pauseReplay(query) {
  await query('select pg_wal_replay_pause()');
  await until(query, 'pg_is_wal_replay_paused()');
  // Since 14 a pause is only asked for, and this says when it has begun.
  const [found] = await query(
    "select exists (select from pg_proc where proname = 'pg_get_wal_replay_pause_state') as there",
  );
  if (found?.['there']) await until(query, "pg_get_wal_replay_pause_state() = 'paused'");
}

/** @param {Query} query */
export const resumeReplay = (query) => query('select pg_wal_replay_resume()');

/** The standby has everything the primary has now. @param {Query} primary @param {Query} standby */
export async function caughtUp(primary, standby) {
  const [row] = await primary('select pg_current_wal_insert_lsn()::text as at');
  await until(standby, 'coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)', [row?.['at']]);
}

/** What a slot of the primary keeps WAL for. */
const slot = 'standby';
/** The longest it lags is above the second that the service waits for a standby, so that the primary is asked, too. */
const shortestLag = 200;
const longestLag = 2_500;

export class Standby {
  /** @param {{ root: string, data: string, folder: string }} options */
  constructor({ root, data, folder }) {
    this.root = root;
    this.data = data;
    this.folder = folder;
    this.url = '';
    /** @type {(() => Promise<void>) | undefined} */
    this.end = undefined;
    /** @type {Query} */
    this.query = async (text, values) => {
      const client = new pg.Client(this.url);
      await client.connect();
      try {
        return (await client.query(text, values)).rows;
      } finally {
        await client.end();
      }
    };
  }

  /**
   * The service, which has run before, is started again and asks the standby; both have the same then.
   * @param {import('./service.mjs').Service} service
   */
  async start(service) {
    const embedded = (/** @type {string} */ name) =>
      import(join(this.root, 'dist', 'database', 'embedded', name));
    const [cluster, { serverAccount }, { findRuntime }] = await Promise.all(
      ['cluster.js', 'account.js', 'runtime.js'].map(embedded),
    );
    await service.stop();
    const { host, user, password, database, folder } = databaseOf(this.data);
    copyCluster(folder, this.folder);
    const port = await cluster.freePort(host, undefined);
    this.url = `postgresql://${user}:${password}@${host}:${port}/${database}`;
    service.env['FAIRWAY_READ_URL'] = this.url;
    await service.start();
    const account = serverAccount();
    const details = { ...databaseOf(this.data), folder: this.folder, port };
    await this.#primary(`select pg_create_physical_replication_slot('${slot}', true)`);
    const pid = await cluster.start(findRuntime(account, this.data), account, details, {
      ...standbySettings(databaseOf(this.data)),
      primary_slot_name: slot,
      // Statements of readers are not cancelled for what the primary cleans up.
      hot_standby_feedback: 'on',
      fsync: 'off',
    });
    this.end = () => cluster.stop(pid);
    running.add(this);
    await this.caughtUp();
  }

  /** @param {string} text */
  #primary = (text) => withDatabase(this.data, async (client) => (await client.query(text)).rows);

  caughtUp() {
    return caughtUp(this.#primary, this.query);
  }

  /** Replay pauses now and then. @param {ReturnType<typeof import('./random.mjs').randomFrom>} random @param {() => boolean} stopped @param {Record<string, number>} counts */
  async lag(random, stopped, counts) {
    while (!stopped()) {
      // The moment, and how long, are what is being tried out, so here times are waited for.
      await delay(random.whole(shortestLag, longestLag));
      if (stopped()) return;
      await pauseReplay(this.query);
      counts['lags']++;
      await delay(random.whole(shortestLag, longestLag));
      await resumeReplay(this.query);
    }
  }

  async stop() {
    await this.end?.();
    this.end = undefined;
  }
}
