// The slowest of a hundred paced questions while a process of its own loads ten million items politely, and while none does.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from '../support/children.mjs';
import { pathOf } from '../support/items.mjs';
import { median, medianRatio, randomNumbers, shuffle } from '../support/statistics.mjs';
import { milliseconds, millions, row, seconds } from './row.mjs';
import { checkBatch } from './setting.mjs';

const perSecond = 500;
const idleSeconds = 10;
/** Percent of a core that the loading process may use. */
const loadShare = 20;

export async function measureReads({
  root,
  serve,
  file,
  scaled,
  settings,
  service,
  database,
  tell,
  progress,
}) {
  const large = await file({ items: scaled(10_000_000) });
  const loader = await serve('loader', { FAIRWAY_ROLE: 'ingest', FAIRWAY_LOAD_SHARE: String(loadShare) });
  const reader = await startChild(join(root, 'bench', 'support', 'paced.mjs'), {});
  try {
    const paths = await listPaths(database);
    let asked = 0;
    const during = async (work) => {
      await database.settle(service.url);
      await reader.ask({ kind: 'begin', url: service.url, paths, perSecond, from: asked });
      const result = await work();
      const { failure, ...latencies } = await reader.ask({ kind: 'end' });
      if (failure !== undefined) throw new Error(failure);
      asked += latencies.asked;
      return { ...result, ...latencies };
    };
    await during(() => delay(2_000));
    const [idle, loading] = [[], []];
    for (let round = 0; round < settings.rounds; round++) {
      progress.show(`reads, round ${round + 1} of ${settings.rounds}…`);
      idle.push(await during(() => delay(idleSeconds * 1_000)));
      const beside = await during(() => tell({ kind: 'send', url: loader.url, file: large }));
      await checkBatch(database, beside.batch.id, large.items);
      loading.push(beside);
    }
    return [describe(large.items, idle, loading)];
  } finally {
    await reader.stop();
    await loader.stop();
  }
}

function describe(items, idle, loading) {
  const p99 = (rounds) => rounds.map((round) => round.p99);
  const verdict = median(loading.map((round) => round.verdict));
  const longest = (rounds) => milliseconds(Math.max(...rounds.map((round) => round.longest)));
  return row({
    name: `p99 of ${perSecond} reads/s beside a polite load of ${items.toLocaleString('en-US')}: ${milliseconds(median(p99(loading)))}`,
    against: `idle: ${milliseconds(median(p99(idle)))}`,
    most: 2,
    value: medianRatio(p99(loading), p99(idle)),
    note: `the load took ${seconds(verdict)}, ${millions((items / verdict) * 1_000)}, in a process of its own with FAIRWAY_LOAD_SHARE=${loadShare}; the longest answer took ${longest(loading)} beside it, ${longest(idle)} idle`,
  });
}

/** Windows of a month on every lane, none of them twice: what nobody asked before, so that answers kept in memory do not help. */
async function listPaths(database) {
  const lanes = await database.lanes();
  const paths = [];
  for (let year = 2021; year <= 2030; year++)
    for (let month = 1; month <= 12; month++) {
      const start = `${year}-${String(month).padStart(2, '0')}`;
      for (const lane of lanes) paths.push(pathOf({ ...lane, from: `${start}-01`, to: `${start}-28` }));
    }
  return shuffle(paths, randomNumbers(1));
}
