/** Makes a database ready to serve: migrations, adoption of tables that psql loaded, and what it is first filled with. */
import type { Database } from '../database/database.js';
import { migrate } from '../database/migrate.js';
import { grantServiceRole, type ServiceRole } from '../database/roles.js';
import type { Emit } from '../events.js';
import { defaultSample } from '../sample/generate.js';
import { importContent, type ImportResult } from './import.js';
import { dumpFile, publicTables, sampleSource } from './sources.js';
import { anyBatch, publicTablesThere } from './sql.js';

export interface Prepared {
  applied: string[];
  /** What was taken over from public.ports, prices and regions, where they are and no batch was there yet. */
  adopted: ImportResult | undefined;
}

/** Brings the schema and the service's role up to date and adopts. Each is done once, however many processes try at a time. */
export async function migrateAndAdopt(
  database: Database,
  emit: Emit,
  serviceRole?: ServiceRole,
): Promise<Prepared> {
  const applied = await database.transaction(async (client) => {
    const names = await migrate(client);
    if (serviceRole) await grantServiceRole(client, serviceRole);
    return names;
  });
  if (applied.length > 0) emit({ kind: 'migrated', applied });
  const adoptable = await database.withClient(
    async (client) => !(await anyBatch(client)) && (await publicTablesThere(client)),
  );
  if (!adoptable) return { applied, adopted: undefined };
  const adopted = await database.withClient((client) =>
    importContent(database, publicTables(client), { onlyWhenEmpty: true }),
  );
  if (adopted.outcome !== 'published') return { applied, adopted: undefined };
  emit({ kind: 'adopted', items: adopted.items, revision: adopted.revision ?? 0 });
  return { applied, adopted };
}

/** Fills a database that has never had a batch; `source` as in FAIRWAY_SEED. Returns what it loaded, if anything. */
export async function seed(
  database: Database,
  source: string,
  emit: Emit,
): Promise<ImportResult | undefined> {
  if (source === 'none') return undefined;
  const content = source === 'sample' ? sampleSource(defaultSample) : dumpFile(source);
  const result = await importContent(database, content, { onlyWhenEmpty: true });
  if (result.outcome !== 'published') return undefined;
  emit({ kind: 'seeded', source, items: result.items, revision: result.revision ?? 0 });
  return result;
}
