// Batches of fifty thousand from one client, one after the other, and from eight at once.
import { median, medianRatio } from '../support/statistics.mjs';
import { millions, row } from './row.mjs';

const clients = 8;
/** Batches of each of the eight in a round; one client alone sends as many as two of them. */
const each = 4;

export async function measureClients({
  file,
  scaled,
  settings,
  tell,
  withMemory,
  database,
  service,
  progress,
}) {
  const items = scaled(50_000);
  const files = [];
  for (let seed = 1; seed <= clients; seed++) files.push(await file({ items, seed }));
  const send = async (count, batches) => {
    await database.settle(service.url);
    return withMemory(() => tell({ kind: 'batches', files, clients: count, each: batches }));
  };
  await send(clients, 1);
  const [alone, together, peaks] = [[], [], []];
  for (let round = 0; round < settings.rounds; round++) {
    progress.show(`clients, round ${round + 1} of ${settings.rounds}…`);
    alone.push((await send(1, each * 2)).perSecond);
    const { perSecond, peak } = await send(clients, each);
    together.push(perSecond);
    peaks.push(peak);
  }
  return [
    row({
      name: `${items.toLocaleString('en-US')} each, ${clients} clients at once: ${millions(median(together))}`,
      against: `one client: ${millions(median(alone))}`,
      least: 1,
      value: medianRatio(together, alone),
      note: `resident memory of the loading process meanwhile at most ${Math.round(Math.max(...peaks))} MB`,
    }),
  ];
}
