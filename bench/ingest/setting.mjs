// What the rows of bench/ingest are given: the service, its database, who sends and who copies, files; each load checked.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { residentMegabytes, startChild } from '../support/children.mjs';
import { pathOf, readmeQuestion } from '../support/items.mjs';
import { peakOf } from '../support/memory.mjs';
import { databaseOf, startService } from '../support/service.mjs';
import { openDatabase } from './database.mjs';
import { fileMaker } from './files.mjs';

const question = pathOf(readmeQuestion);

/** Runs `work(bench)` with everything started, and stops it all afterwards. */
export async function withSetting({ root, folder, filesFolder, settings, progress }, work) {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  mkdirSync(filesFolder, { recursive: true });
  const started = [];
  const start = async (promise) => {
    const child = await promise;
    started.push(child);
    return child;
  };
  const serve = (name, env = {}) =>
    start(startService({ root, dataDir, level: 'info', log: join(folder, `${name}.log`), more: env }));
  try {
    progress.show('starting the service…');
    const service = await serve('service');
    const database = await openDatabase(databaseOf(dataDir));
    started.push({ stop: () => database.end() });
    await database.makeTables();
    const sender = await start(startChild(join(root, 'bench', 'support', 'sender.mjs'), {}));
    const copier = await start(
      startChild(join(root, 'bench', 'peers', 'copy.mjs'), {
        connection: database.connection,
        plain: settings.plainCopy,
      }),
    );
    const file = fileMaker({ root, folder: filesFolder, progress });
    const scaled = (items) => Math.max(1_000, Math.round(items * settings.scale));
    const bench = { root, service, database, sender, copier, serve, file, scaled, settings, progress };
    return await work({ ...bench, ...actions(bench) });
  } finally {
    for (const child of started.toReversed()) await child.stop();
  }
}

/** What a row does, each with its check: a figure for a wrong answer is worth nothing. */
function actions({ service, database, sender, copier }) {
  const told = async (child, task) => {
    const { failure, ...answer } = await child.ask(task);
    if (failure !== undefined) throw new Error(failure);
    return answer;
  };
  const readmeCount = async () => sumOf((await (await fetch(service.url + question)).json()).rates);
  return {
    tell: (task) => told(sender, { url: service.url, ...task }),
    /** Loads a file over HTTP; milliseconds to the verdict and to the answer that has it; bytes written. */
    async load(file) {
      await database.settle(service.url);
      const [before, counted] = [await database.bytes(), await readmeCount()];
      const { verdict, visible, batch, rates } = await told(sender, {
        kind: 'send',
        url: service.url,
        file,
        question,
      });
      const after = await database.bytes();
      const shown = sumOf(rates) - counted;
      if (shown !== file.readmeItems)
        throw new Error(`batch ${batch.id}: ${shown} items in the answer instead of ${file.readmeItems}`);
      await checkBatch(database, batch.id, file.items);
      return {
        verdict,
        visible,
        batch: batch.id,
        walPerItem: (after.wal - before.wal) / file.items,
        bytesPerItem: (after.segments - before.segments) / file.items,
      };
    },
    /** Copies a file into a table of the peer; milliseconds. */
    async copy(table, file) {
      await database.settle(service.url);
      const before = await database.count(table);
      const { milliseconds } = await told(copier, { table: `bench.${table}`, path: file.path });
      const added = (await database.count(table)) - before;
      if (added !== file.items) throw new Error(`COPY into ${table}: ${added} rows instead of ${file.items}`);
      return milliseconds;
    },
    /** The work's result, with the most memory the service had meanwhile, in MB. */
    async withMemory(work) {
      const rest = residentMegabytes(service.pid);
      const peak = peakOf(service.pid);
      const result = await work();
      return { ...result, rest, peak: peak() };
    },
  };
}

const sumOf = (rates) => rates.reduce((sum, { count }) => sum + count, 0);

export async function checkBatch(database, batch, items) {
  const found = await database.itemsOf(batch);
  if (found !== items)
    throw new Error(`batch ${batch} has ${found} items in its segments instead of ${items}`);
}
