// The client, the same for all peers: autocannon in a process of its own. In goes a task, out come counts and latencies.
import autocannon from 'autocannon';
import { Histogram } from './statistics.mjs';

process.once('message', () => {
  process.on('message', (task) => void work(task));
  process.send({ ready: true });
});

async function work(task) {
  try {
    process.send(await load(task));
  } catch (error) {
    process.send({ failure: String(error?.stack ?? error) });
  }
}

/**
 * `paths`: shared out among the connections, none asked twice; a connection that has asked all of its own ends the
 * measurement, for a repeat would be another question. Without: `path` again and again, each answer to equal `body`.
 */
async function load({ url, path, body, paths, connections, seconds }) {
  const latencies = new Histogram();
  let first = 0;
  let last = 0;
  let exhausted = false;
  let next = 0;
  const before = process.cpuUsage();
  const instance = autocannon({
    url: url + (path ?? paths[0]),
    connections,
    duration: seconds,
    sampleInt: 100,
    ...(body === undefined ? {} : { expectBody: body }),
    ...(paths === undefined
      ? {}
      : {
          maxConnectionRequests: Math.floor(paths.length / connections),
          setupClient: (client) => {
            const own = paths.filter((_, index) => index % connections === next);
            next++;
            client.setRequests(own.map((each) => ({ method: 'GET', path: each })));
            client.on('done', () => (exhausted = true));
          },
        }),
  });
  instance.on('response', (_client, _status, _bytes, milliseconds) => {
    if (exhausted) return;
    // Building the requests is not part of it: the clock starts with the first answer.
    last = performance.now();
    if (first === 0) first = last;
    else latencies.add(milliseconds);
  });
  const result = await instance;
  const { user, system } = process.cpuUsage(before);
  return {
    requests: latencies.total,
    // Of those on the way as the clock started, one was counted as its start; the rest is even.
    perSecond: (latencies.total / (last - first)) * 1_000,
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    answered: result['2xx'],
    faults: result.errors + result.timeouts + result.non2xx + result.mismatches,
    clientBusy: (user + system) / 1_000 / (last - first),
  };
}

process.once('disconnect', () => process.exit());
