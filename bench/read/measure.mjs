// The measuring of bench/read: rounds of every peer in turn, each asked the same; medians over the rounds.
import { processorMicroseconds } from '../support/children.mjs';
import { pathOf, readmeQuestion } from '../support/items.mjs';
import { median, rotate, slices } from '../support/statistics.mjs';
import { answerOf } from './answers.mjs';

const warmUpSeconds = 1;

/** Figures of every case: [{ name, connections, peers: { kind: { perSecond, p50, p99, …, rounds } } }]. */
export async function measureAll({ peers, questions, client, settings, progress }) {
  const { info, warn, cold, rollup, bare } = peers;
  const readme = pathOf(readmeQuestion);
  const plan = settings.connections.flatMap((connections) => [
    { name: 'first-time', connections, peers: [info, cold, rollup] },
    { name: 'repeated', connections, peers: [info, warn, rollup, bare] },
  ]);
  const perConnections = Math.floor(questions.length / settings.connections.length);
  const pieces = slices(questions, settings.rounds * settings.connections.length, perConnections);
  for (const peer of [info, warn, cold, rollup, bare]) {
    progress.show(`warming up ${peer.kind}…`);
    await measureOne(client, peer, { path: readme, connections: 8, seconds: warmUpSeconds });
  }
  for (const each of plan) each.rounds = [];
  for (let round = 0; round < settings.rounds; round++) {
    for (const each of plan) {
      const piece = pieces[settings.connections.indexOf(each.connections) * settings.rounds + round];
      const asked = each.name === 'repeated' ? { path: readme } : { paths: piece.map(pathOf) };
      const figures = {};
      for (const peer of rotate(each.peers, round)) {
        progress.show(
          `round ${round + 1} of ${settings.rounds}: ${each.name}, ${each.connections} connections, ${peer.kind}…`,
        );
        const task = { ...asked, connections: each.connections, seconds: settings.seconds };
        figures[peer.kind] = await measureOne(client, peer, task);
      }
      each.rounds.push(figures);
    }
  }
  return plan.map(({ name, connections, peers: measured, rounds }) => ({
    name,
    connections,
    peers: Object.fromEntries(
      measured.map(({ kind }) => [kind, summarise(rounds.map((each) => each[kind]))]),
    ),
  }));
}

async function measureOne(client, peer, task) {
  const body = task.path === undefined ? undefined : (await answerOf(peer.url + task.path)).body;
  const before = processorMicroseconds(peer.pid);
  const { failure, ...figures } = await client.ask({ ...task, url: peer.url, body });
  const processor = processorMicroseconds(peer.pid) - before;
  peer.emptyLog?.();
  if (failure !== undefined) throw new Error(`${peer.kind}: ${failure}`);
  if (figures.faults > 0 || figures.requests === 0) {
    throw new Error(`${peer.kind}: ${figures.faults} faults in ${figures.answered} answers`);
  }
  return { ...figures, processorPerRequest: processor / figures.answered };
}

function summarise(rounds) {
  const of = (key) => median(rounds.map((round) => round[key]));
  return {
    perSecond: of('perSecond'),
    p50: of('p50'),
    p99: of('p99'),
    processorPerRequest: of('processorPerRequest'),
    clientBusy: of('clientBusy'),
    requests: rounds.reduce((sum, round) => sum + round.requests, 0),
    rounds: rounds.map(({ perSecond }) => perSecond),
  };
}
