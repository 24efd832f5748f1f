// Questions at a steady pace, whether answers come or not (an open loop): each latency counts from the moment its
// question was planned for, so a service that stands still is charged for all that should have been asked meanwhile.
import { Agent, get } from 'node:http';
import { Histogram } from './statistics.mjs';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

let running;

process.once('message', () => {
  process.on('message', ({ kind, ...task }) => {
    if (kind === 'begin') {
      running = begin(task);
      process.send({});
    } else {
      running.end().then(
        (result) => process.send(result),
        (error) => process.send({ failure: String(error?.stack ?? error) }),
      );
    }
  });
  process.send({ ready: true });
});
process.once('disconnect', () => process.exit());

/** Asks `perSecond` of the paths a second, in turn, until `end`; milliseconds below which half and 99 % came, and the longest. */
function begin({ url, paths, perSecond, from }) {
  const latencies = new Histogram();
  const started = performance.now();
  let planned = 0;
  let answered = 0;
  let longest = 0;
  let failure;
  let onAnswered = () => undefined;
  const ask = (due) => {
    get(url + paths[(from + planned) % paths.length], { agent }, (response) => {
      if (response.statusCode !== 200) failure ??= new Error(`an answer of ${response.statusCode}`);
      response.resume();
      response.on('end', () => {
        const took = performance.now() - due;
        latencies.add(took);
        longest = Math.max(longest, took);
        answered++;
        onAnswered();
      });
    }).on('error', (error) => {
      failure ??= error;
      answered++;
      onAnswered();
    });
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (;;) {
      const due = started + (planned * 1_000) / perSecond;
      if (due > now) break;
      ask(due);
      planned++;
    }
  }, 1);
  return {
    async end() {
      clearInterval(timer);
      const all = () => answered >= planned;
      if (!all())
        await new Promise((resolve) => {
          onAnswered = () => all() && resolve();
        });
      if (failure) throw failure;
      return { asked: planned, p50: latencies.quantile(0.5), p99: latencies.quantile(0.99), longest };
    },
  };
}
