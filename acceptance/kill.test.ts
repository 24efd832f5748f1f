import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { expect, test } from 'vitest';
import {
  answers,
  freePort,
  interrupt,
  killNow,
  readmeQuestion,
  run,
  serversOf,
  start,
  until,
  withFolder,
} from './support.js';

const rounds = 10;
const healMilliseconds = 5_000;

/** Pid of a backend that serves the program; 0 while there is none or the server recovers. */
async function backendOf(details: ClientConfig): Promise<number> {
  const client = new Client(details);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'fairway' and backend_type = 'client backend' limit 1",
    );
    return rows[0]?.pid ?? 0;
  } catch {
    return 0;
  } finally {
    client.end().catch(() => undefined);
  }
}

/** Asks without a pause, four at a time, until told to stop; an answer that is not an error must be the right one. */
function askAllTheTime(url: string): { stop(): Promise<{ right: number; wrong: string[] }> } {
  const state = { going: true };
  const result = { right: 0, wrong: [] as string[] };
  const ask = async (): Promise<void> => {
    while (state.going) {
      try {
        const response = await fetch(url + readmeQuestion, { signal: AbortSignal.timeout(5_000) });
        const text = await response.text();
        if (response.status === 503) continue;
        if (response.ok && text.startsWith('{"rates":[{"count":3,"day":"2021-01-31"')) result.right++;
        else result.wrong.push(`${response.status} ${text.slice(0, 200)}`);
      } catch {
        // No connection while the program is down: allowed here, and bounded by the healing time.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const all = Promise.all([ask(), ask(), ask(), ask()]);
  return {
    stop: async () => {
      state.going = false;
      await all;
      return result;
    },
  };
}

test(`kill -9 of the PostgreSQL server, ${rounds} times under load: it heals by itself within 5 s`, () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const load = askAllTheTime(running.url);
    for (let round = 0; round < rounds; round++) {
      const [pid] = serversOf(data);
      killNow(pid);
      // Not just gone: a backend of the killed server may still answer once, and the next round needs a server.
      await until(
        () => serversOf(data).some((server) => server !== pid),
        healMilliseconds,
        'another server took its place',
      );
      await until(
        () => answers(running.url),
        healMilliseconds,
        () =>
          `requests succeed again (round ${round})\n${running
            .output()
            .split('\n')
            .filter((line) => !line.includes('"request"'))
            .join('\n')}`,
      );
    }
    const { right, wrong } = await load.stop();
    expect(wrong).toEqual([]);
    expect(right).toBeGreaterThan(rounds);
    expect(await interrupt(running)).toBe(0);
    expect(serversOf(data)).toEqual([]);
  }));

test(`kill -9 of a backend, ${rounds} times under load: the server recovers and requests succeed within 5 s`, () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const load = askAllTheTime(running.url);
    const details = JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8')) as ClientConfig;
    for (let round = 0; round < rounds; round++) {
      let backend = 0;
      await until(
        async () => (backend = await backendOf(details)) > 0,
        healMilliseconds,
        'a backend serves the program',
      );
      killNow(backend);
      await until(() => answers(running.url), healMilliseconds, `requests succeed again (round ${round})`);
    }
    const { right, wrong } = await load.stop();
    expect(wrong).toEqual([]);
    expect(right).toBeGreaterThan(rounds);
    expect(await interrupt(running)).toBe(0);
    expect(serversOf(data)).toEqual([]);
  }));

test(`kill -9 of the program, ${rounds} times under load: the next start takes the orphan over, nothing is left running`, () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data, FAIRWAY_PORT: String(await freePort()) };
    let running = await start(env);
    const load = askAllTheTime(running.url);
    for (let round = 0; round < rounds; round++) {
      killNow(running.child.pid);
      expect(await running.ended).toBe('SIGKILL');
      expect(serversOf(data)).toHaveLength(1);
      const begun = Date.now();
      running = await start(env);
      await until(
        () => answers(running.url),
        healMilliseconds - (Date.now() - begun),
        `requests succeed again (round ${round})`,
      );
      expect(serversOf(data)).toHaveLength(1);
    }
    const { right, wrong } = await load.stop();
    expect(wrong).toEqual([]);
    expect(right).toBeGreaterThan(rounds);
    expect(await interrupt(running)).toBe(0);
    expect(serversOf(data)).toEqual([]);
  }));

test('an orphan is also found by a command that ends, and stopped by it', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    killNow(running.child.pid);
    await running.ended;
    expect(serversOf(data)).toHaveLength(1);
    expect(await run(['migrate'], { FAIRWAY_DATA_DIR: data })).toMatchObject({
      code: 0,
      stdout: 'the schema is up to date\n',
    });
    expect(serversOf(data)).toEqual([]);
  }));
