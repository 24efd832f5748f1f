// A result of bench/read as Markdown: what was asked, of what, where; the figures; which goals are met. Pure.
import { fixed, table, whole } from '../support/report.mjs';
import { medianRatio } from '../support/statistics.mjs';

const names = {
  service: 'the service, log level info',
  'service-warn': 'the service, log level warn',
  'service-cold': 'the service, nothing kept',
  rollup: '(b) fastify + pg, rollup rows',
  bare: '(a) bare node:http, constant',
};

/** Goals of the issue that asked for this bench: share of a peer's requests a second. */
const goals = {
  'first-time': { peer: 'rollup', share: 1.5, words: 'of (b)' },
  repeated: { peer: 'bare', share: 0.85, words: 'of (a)' },
};
const besidePublishing = 0.5;
const mostMegabytes = 150;

export function renderRead(result) {
  const { machine, settings } = result;
  const [first] = result.datasets;
  return `# bench/read, ${result.date}

The README's question at ${settings.connections.join(' and ')} keep-alive connections: asked for the first time, and again and again. How it is
measured and how to read it: [bench/README.md](../README.md).

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; ${machine.kernel}; Node ${machine.node}, PostgreSQL ${first?.postgres ?? ''} (embedded)
- Commit: ${result.commit}
- Command: \`${result.command}\`: ${settings.rounds} rounds of ${settings.seconds} s, interleaved; medians
- Pools of ${settings.poolSize} connections on both sides; the log goes to a file
- Publishing: one process that does both, with the load share it has by default (FAIRWAY_LOAD_SHARE=auto)

${result.datasets.map(renderDataset).join('\n')}`;
}

function renderDataset(dataset) {
  const { questions } = dataset;
  return `## ${dataset.name}

${whole(dataset.items)} items on ${whole(dataset.lanes)} lanes. First-time questions: ${whole(questions.count)} distinct on ${whole(questions.lanes)} lanes, on average
${fixed(questions.pricedDays, 1)} priced days and ${fixed(questions.items, 0)} prices each. The README's answer has ${whole(dataset.bodyBytes)} bytes.

${table(
  [
    'case, connections, peer',
    'requests/s',
    'of (b)',
    'of (a)',
    'p50 ms',
    'p99 ms',
    'CPU µs/request',
    'client busy',
  ],
  dataset.cases.flatMap(caseRows),
)}

${table(['goal', 'wanted', 'measured', 'met'], goalRows(dataset))}

Headers of an answer beside Node's own (date, connection, keep-alive, content-length):

${Object.entries(dataset.headers)
  .map(([kind, headers]) => `- ${names[kind]}: ${renderHeaders(headers)}`)
  .join('\n')}
`;
}

const renderHeaders = (headers) =>
  Object.entries(headers)
    .map(([name, value]) => `\`${name}: ${value}\``)
    .join(', ') || 'none';

function caseRows({ name, connections, peers }) {
  const ratio = (peer, to) => (peers[to] ? fixed(medianRatio(peer.rounds, peers[to].rounds)) : '');
  return Object.keys(names)
    .filter((kind) => peers[kind])
    .map((kind) => {
      const peer = peers[kind];
      return [
        `${name}, ${connections}, ${names[kind]}`,
        whole(peer.perSecond),
        ratio(peer, 'rollup'),
        ratio(peer, 'bare'),
        fixed(peer.p50),
        fixed(peer.p99),
        fixed(peer.processorPerRequest, 0),
        `${fixed(peer.clientBusy * 100, 0)} %`,
      ];
    });
}

function goalRows({ cases, memory, publishing }) {
  const rows = cases.map(({ name, connections, peers }) => {
    const { peer, share, words } = goals[name];
    const measured = medianRatio(peers.service.rounds, peers[peer].rounds);
    return [
      `${name}, ${connections} connections`,
      `${fixed(share)} ${words}`,
      fixed(measured),
      measured >= share ? 'yes' : 'no',
    ];
  });
  for (const { connections, perSecond, ofQuiet, batchesPerSecond } of publishing)
    rows.push([
      `repeated, ${connections} connections, beside ${fixed(batchesPerSecond, 1)} batches/s of 50,000: ${whole(perSecond)}/s`,
      `${fixed(besidePublishing)} of quiet`,
      fixed(ofQuiet),
      ofQuiet >= besidePublishing ? 'yes' : 'no',
    ]);
  for (const [when, megabytes] of [
    ['after the start', memory.started],
    ['at rest after the load', memory.afterLoad],
  ]) {
    const known = megabytes !== undefined;
    rows.push([
      `resident memory ${when}`,
      `< ${mostMegabytes} MB`,
      known ? `${fixed(megabytes, 0)} MB` : 'unknown',
      known ? (megabytes < mostMegabytes ? 'yes' : 'no') : '',
    ]);
  }
  return rows;
}
