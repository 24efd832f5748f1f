// A repeated question while batches of fifty thousand are published one after the other, without a pause, and while
// none is: of one process that does both, alone on its database.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileMaker } from '../ingest/files.mjs';
import { startChild } from '../support/children.mjs';
import { pathOf, readmeQuestion } from '../support/items.mjs';
import { startService } from '../support/service.mjs';
import { median, medianRatio } from '../support/statistics.mjs';

const items = 50_000;
const files = 8;
/** Until the first batch is on its way, and for those on their way to end. */
const aheadMilliseconds = 500;

/** Of each number of connections: questions/s beside publishing, of quiet ones, and batches/s. */
export async function measurePublishing({ root, folder, dataDir, client, settings, progress }) {
  const file = fileMaker({ root, folder, progress });
  const batches = [];
  for (let seed = 1; seed <= files; seed++) batches.push(await file({ items, seed: seed + 100 }));
  const service = await startService({ root, dataDir, level: 'info', log: join(folder, 'publishing.log') });
  const sender = await startChild(join(root, 'bench', 'support', 'sender.mjs'), {});
  try {
    const path = pathOf(readmeQuestion);
    const ask = async (connections) => {
      const figures = await client.ask({ url: service.url, path, connections, seconds: settings.seconds });
      service.emptyLog();
      if (figures.failure !== undefined || figures.faults > 0) throw new Error(figures.failure ?? 'faults');
      return figures.perSecond;
    };
    await ask(8);
    const measured = [];
    for (const connections of settings.connections) {
      const [quiet, beside, rates] = [[], [], []];
      for (let round = 0; round < settings.rounds; round++) {
        progress.show(`publishing, round ${round + 1} of ${settings.rounds}, ${connections} connections…`);
        quiet.push(await ask(connections));
        const milliseconds = settings.seconds * 1_000 + 2 * aheadMilliseconds;
        const sent = sender.ask({ kind: 'publishing', url: service.url, files: batches, milliseconds });
        await delay(aheadMilliseconds);
        beside.push(await ask(connections));
        const { failure, perSecond } = await sent;
        if (failure !== undefined) throw new Error(failure);
        rates.push(perSecond);
        // Rolling up is part of publishing, and has ended before it is quiet.
        await delay(3 * aheadMilliseconds);
      }
      measured.push({
        connections,
        perSecond: median(beside),
        ofQuiet: medianRatio(beside, quiet),
        batchesPerSecond: median(rates),
      });
    }
    return measured;
  } finally {
    await sender.stop();
    await service.stop();
  }
}
