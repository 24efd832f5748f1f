/** `fairway migrate`: the schema up to date, and tables that psql loaded adopted as the first batch. */
import { commandLog, configure, count, withDatabase, type ConfigFlags, type Context } from './context.js';
import { migrateAndAdopt } from '../ingest/prepare.js';

export async function runMigrate(
  context: Context,
  { json, ...flags }: ConfigFlags & { json?: boolean },
): Promise<void> {
  const { config } = configure(context, flags);
  const emit = commandLog(config);
  const { applied, adopted } = await withDatabase(context, config, emit, ({ database }) =>
    migrateAndAdopt(database, emit),
  );
  if (json) {
    context.stdout.write(`${JSON.stringify({ applied, adopted: adopted ?? null })}\n`);
    return;
  }
  context.stdout.write(applied.length > 0 ? `applied ${applied.join(', ')}\n` : 'the schema is up to date\n');
  if (adopted) {
    context.stdout.write(
      `adopted ${count(adopted.items)} prices from public.prices as revision ${adopted.revision}; those tables are left as they are\n`,
    );
  }
}
