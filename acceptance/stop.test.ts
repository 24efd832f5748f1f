/** SIGTERM under load: nobody who heeds readiness, as a balancer does, sees a failed request. */
import { Agent, request, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { freePort, readmeQuestion, start, until, withFolder, type Running } from './support.js';

const stops = 50;
const clients = 8;

interface Instance {
  url: string;
  ready: boolean;
}

function get(url: string, agent: Agent): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(Object.assign(response, { text })));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/** What a balancer does: asks each instance whether it is ready, all the time, and sends requests to one that is. */
function balance(instances: Instance[]) {
  const agent = new Agent({ keepAlive: true });
  const probes = new Agent({ keepAlive: false });
  const state = { going: true, answered: 0, closed: 0, failures: [] as string[] };
  const probe = async (instance: Instance): Promise<void> => {
    while (state.going) {
      const status = await get(`${instance.url}/health/ready`, probes).then(
        (answer) => answer.statusCode,
        () => 0,
      );
      instance.ready = status === 200;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const client = async (number: number): Promise<void> => {
    for (let turn = number; state.going; turn++) {
      const ready = instances.filter((instance) => instance.ready);
      const instance = ready[turn % Math.max(1, ready.length)];
      if (!instance) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      try {
        const answer = await get(instance.url + readmeQuestion, agent);
        if (answer.headers.connection === 'close') state.closed++;
        if (answer.statusCode === 200 && answer.text.startsWith('{"rates":[{"count":3,"day":"2021-01-31"'))
          state.answered++;
        else state.failures.push(`${answer.statusCode} ${answer.text.slice(0, 200)}`);
      } catch (error) {
        state.failures.push(String(error));
      }
    }
  };
  const all = Promise.all([
    ...instances.map(probe),
    ...Array.from({ length: clients }, (_, number) => client(number)),
  ]);
  return {
    state,
    stop: async () => {
      state.going = false;
      await all;
      agent.destroy();
    },
  };
}

test(
  `no failed request in ${stops} stops under load with keep-alive clients`,
  () =>
    withFolder(async (data) => {
      const ports = [await freePort(), await freePort()];
      const run = (port: number): Promise<Running> =>
        start({
          FAIRWAY_DATA_DIR: data,
          FAIRWAY_PORT: String(port),
          FAIRWAY_DRAIN_SECONDS: '0.2',
          FAIRWAY_LOG_LEVEL: 'warn',
        });
      const running = [await run(ports[0] ?? 0), await run(ports[1] ?? 0)];
      const instances = running.map(({ url }) => ({ url, ready: true }));
      const load = balance(instances);
      for (let stop = 0; stop < stops; stop++) {
        const which = stop % 2;
        const before = load.state.answered;
        await until(
          () => instances.every(({ ready }) => ready) && load.state.answered > before,
          20_000,
          'both are ready and answer',
        );
        running[which]?.child.kill('SIGTERM');
        expect(await running[which]?.ended, `stop ${stop}`).toBe(0);
        running[which] = await run(ports[which] ?? 0);
        expect(load.state.failures, `stop ${stop}`).toEqual([]);
      }
      await load.stop();
      expect(load.state.failures).toEqual([]);
      expect(load.state.answered).toBeGreaterThan(stops * clients);
      // Clients were told to go, not cut off.
      expect(load.state.closed).toBeGreaterThan(stops);
      for (const { child, ended } of running) {
        child.kill('SIGINT');
        expect(await ended).toBe(0);
      }
    }),
  180_000,
);
