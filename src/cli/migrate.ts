/** `fairway migrate`: the schema and the service's role up to date, tables that psql loaded adopted, and the seed where one is named. */
import { commandLog, configure, count, withDatabase, type ConfigFlags, type Context } from './context.js';
import type { LoadedConfig } from '../config.js';
import type { Config } from '../settings.js';
import type { ServiceRole } from '../database/roles.js';
import { FairwayError } from '../errors.js';
import { migrateAndAdopt, seed } from '../ingest/prepare.js';

export async function runMigrate(
  context: Context,
  { json, ...flags }: ConfigFlags & { json?: boolean },
): Promise<void> {
  const loaded = configure(context, flags);
  const { config } = loaded;
  const emit = commandLog(config);
  const role = serviceRole(config);
  const { applied, adopted, seeded } = await withDatabase(context, config, emit, async ({ database }) => ({
    ...(await migrateAndAdopt(database, emit, role)),
    seeded: seedIsMeant(loaded) ? await seed(database, config.seed, emit) : undefined,
  }));
  if (json) {
    context.stdout.write(
      `${JSON.stringify({ applied, adopted: adopted ?? null, seeded: seeded ?? null, role: role?.name ?? null })}\n`,
    );
    return;
  }
  context.stdout.write(applied.length > 0 ? `applied ${applied.join(', ')}\n` : 'the schema is up to date\n');
  if (role) context.stdout.write(`the role ${role.name} may serve, and cannot change the schema\n`);
  if (adopted) {
    context.stdout.write(
      `adopted ${count(adopted.items)} prices from public.prices as revision ${adopted.revision}; those tables are left as they are\n`,
    );
  }
  if (seeded) {
    context.stdout.write(
      `loaded ${count(seeded.items)} prices (${config.seed}) as revision ${seeded.revision}\n`,
    );
  }
}

/** Unlike `up`, it fills nothing unasked: who migrates a database of theirs does not expect sample data in it. */
const seedIsMeant = ({ origins }: LoadedConfig): boolean =>
  origins.seed.origin === 'flag' || origins.seed.origin === 'environment';

function serviceRole({ serviceRole: name, servicePassword: password }: Config): ServiceRole | undefined {
  if (name !== undefined) return { name, password };
  if (password === undefined) return undefined;
  throw new FairwayError(
    'configuration_invalid',
    'FAIRWAY_SERVICE_PASSWORD: there is no FAIRWAY_SERVICE_ROLE to give it to',
  );
}
