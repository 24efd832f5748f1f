/** `fairway import FILE`: a dump becomes what is published, all of it or nothing. */
import { commandLog, configure, count, withDatabase, type ConfigFlags, type Context } from './context.js';
import { rollUp } from '../query/roll-up.js';
import { dumpFile } from '../ingest/sources.js';
import { importContent, type ImportResult } from '../ingest/import.js';
import { migrateAndAdopt } from '../ingest/prepare.js';
import { progressLine } from './progress-line.js';

export async function runImport(
  context: Context,
  file: string,
  { json, replace, ...flags }: ConfigFlags & { json?: boolean; replace?: boolean },
): Promise<void> {
  const { config } = configure(context, flags);
  const emit = commandLog(config);
  const progress = progressLine(context);
  const result = await withDatabase(context, config, emit, async ({ database }) => {
    await migrateAndAdopt(database, emit);
    const result = await importContent(database, dumpFile(file, progress.read), {
      replace: replace ?? false,
    });
    await rollUp(database, emit);
    return result;
  }).finally(progress.clear);
  context.stdout.write(json ? `${JSON.stringify(result)}\n` : `${describe(file, result)}\n`);
}

function describe(file: string, result: ImportResult): string {
  if (result.outcome === 'unchanged')
    return `${file} is what is published already (revision ${result.revision}); nothing changed`;
  const withdrawn =
    result.withdrawn > 0
      ? `; ${count(result.withdrawn)} earlier ${result.withdrawn === 1 ? 'batch' : 'batches'} withdrawn`
      : '';
  return `published ${count(result.items)} prices on ${count(result.lanes)} lanes, ${count(result.ports)} ports, ${count(result.regions)} regions as revision ${result.revision}${withdrawn}`;
}
