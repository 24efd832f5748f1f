import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { openDatabase } from '../../src/database/database.js';
import { grantServiceRole } from '../../src/database/roles.js';
import { collect } from '../../src/ingest/collect.js';
import { importContent } from '../../src/ingest/import.js';
import { Uploads } from '../../src/ingest/pipeline.js';
import { seed } from '../../src/ingest/prepare.js';
import { sampleSource } from '../../src/ingest/sources.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { rollUp } from '../../src/query/roll-up.js';
import { defaultSample } from '../../src/sample/generate.js';
import { contextOf, csv, importPlaces, itemsOf } from '../support/batches.js';
import { bytes, items, none, orphans, upload } from '../support/uploads.js';
import { partOf } from '../support/parts.js';
import { withDatabase, type TestDatabase } from '../support/database.js';

const ignore = (): void => undefined;

/** Roles belong to the whole server, which the tests share: each test makes its own and takes it away. */
async function withRole(
  setting: TestDatabase,
  work: (role: { name: string; password: string; connection: pg.ClientConfig }) => Promise<void>,
): Promise<void> {
  const name = `service_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('base64');
  const database = new URL(setting.url).pathname.slice(1);
  const connection = { ...inject('server'), user: name, password, database };
  await setting.database.transaction((client) => grantServiceRole(client, { name, password }));
  try {
    await work({ name, password, connection });
  } finally {
    await setting.query(`drop owned by ${name}`);
    await setting.query(`drop role ${name}`);
  }
}

async function asRole<Result>(connection: pg.ClientConfig, work: (client: pg.Client) => Promise<Result>) {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('the service’s role serves and loads', () =>
  withDatabase((setting) =>
    withRole(setting, async ({ connection }) => {
      const database = openDatabase({ connection, poolSize: 2, emit: ignore });
      try {
        expect(await seed(database, 'sample', ignore)).toMatchObject({ items: 50_000, revision: 1 });
        const other = sampleSource({ ...defaultSample, seed: 5 });
        expect(await importContent(database, other, { replace: true })).toMatchObject({ withdrawn: 1 });
        const rows = await database.read<{ count: string }>({ text: 'select count(*) from fairway.items' });
        expect(rows[0]?.count).toBe('50000');
      } finally {
        await database.close();
      }
    }),
  ));

test('the service’s role takes batches, rejects, replaces, gives up, withdraws, collects, rolls up and purges', () =>
  withDatabase((setting) =>
    withRole(setting, async ({ connection }) => {
      await importPlaces(setting);
      const database = openDatabase({ connection, poolSize: 2, emit: ignore });
      const { caller } = upload;
      try {
        const uploads = new Uploads({ ...contextOf(setting, {}, 2), database });
        const { batch } = await uploads.take(upload, bytes(csv(itemsOf(5))));
        const bad = { ...upload, key: 'bad' };
        expect((await uploads.take(bad, bytes(csv([...itemsOf(5), ...itemsOf(3, 0)])))).batch.errors).toBe(3);
        expect((await uploads.take(bad, bytes(csv(itemsOf(4))))).batch.state).toBe('published');
        const replacing = { ...upload, key: null, replaces: batch.id };
        const replaced = await uploads.take(replacing, bytes(csv(itemsOf(6))));
        await expect(uploads.take(replacing, bytes(csv(itemsOf(6))))).rejects.toMatchObject({
          code: 'batch_state',
        });
        const open = async () => {
          const { batch } = await uploads.parted.open({ caller, key: null, format: null, replaces: null });
          for (const count of [2, 3, 3])
            await uploads.parted.put(partOf(batch.id, 1, csv(itemsOf(count))), bytes(csv(itemsOf(count))));
          return batch.id;
        };
        const published = await uploads.parted.publish(await open(), caller, { parts: 1, items: 3 });
        await uploads.parted.giveUp(await open());
        await rollUp(database, ignore);
        await withdraw(database, published.id, ignore);
        await withdraw(database, replaced.batch.id, ignore);
        await rollUp(database, ignore);
        expect(await collect(database, ignore)).toBe(0);
        expect(await items(setting)).toBe(4);
        await expect(
          uploads.take({ ...bad, key: 'worse' }, bytes(csv(itemsOf(5, 0)))),
        ).resolves.toBeDefined();
        await purge(database, { historyDays: 0, rejectedDays: 0 }, ignore);
        expect(await setting.query('select from fairway.batches where purged_at is not null')).toHaveLength(
          4,
        );
        expect(await setting.query("select from fairway.attempts where state = 'collected'")).toEqual([]);
        expect(await orphans(setting)).toEqual(none);
      } finally {
        await database.close();
      }
    }),
  ));

const forbidden = [
  'create table public.mine (a integer)',
  'create table fairway.mine (a integer)',
  'create schema mine',
  'create role mine',
  'drop table fairway.segments',
  'drop view fairway.items',
  'drop schema fairway cascade',
  'truncate fairway.segments',
  'alter table fairway.batches add column mine integer',
  'create index on fairway.batches (source)',
  'create or replace view fairway.items as select 1 as a',
  "insert into fairway.migrations (name) values ('9999_mine.sql')",
  'delete from fairway.batches',
  'update fairway.segments set items = 1',
  'delete from fairway.revisions',
];

test('the service’s role owns nothing and cannot change the schema', () =>
  withDatabase((setting) =>
    withRole(setting, async ({ name, connection }) => {
      await asRole(connection, async (client) => {
        for (const statement of forbidden) {
          const outcome = await client.query(statement).then(
            () => 'allowed',
            (error: pg.DatabaseError) => error.code,
          );
          expect([outcome, statement]).toEqual(['42501', statement]);
        }
      });
      const owned = await setting.query(
        `select from pg_shdepend d join pg_roles r on r.oid = d.refobjid where r.rolname = $1 and d.deptype = 'o'`,
        [name],
      );
      expect(owned).toEqual([]);
    }),
  ));

test('tables of later migrations can be read and not written; a second run sets the new password', () =>
  withDatabase((setting) =>
    withRole(setting, async ({ name, connection }) => {
      await setting.query('create table fairway.later (a integer)');
      await asRole(connection, async (client) => {
        expect((await client.query('select from fairway.later')).rows).toEqual([]);
        await expect(client.query('insert into fairway.later values (1)')).rejects.toMatchObject({
          code: '42501',
        });
      });
      await setting.query(`grant all on fairway.later to ${name}`);
      await setting.database.transaction((client) => grantServiceRole(client, { name, password: 'another' }));
      await expect(asRole(connection, () => Promise.resolve())).rejects.toMatchObject({ code: '28P01' });
      await asRole({ ...connection, password: 'another' }, async (client) => {
        expect((await client.query('select from fairway.later')).rows).toEqual([]);
        await expect(client.query('delete from fairway.later')).rejects.toMatchObject({ code: '42501' });
      });
      const kept = await setting.query<{ rolpassword: string }>(
        'select rolpassword from pg_authid where rolname = $1',
        [name],
      );
      expect(kept[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
    }),
  ));

test('a role that could change the schema is refused, and nothing has changed', () =>
  withDatabase(async (setting) => {
    const { user } = inject('server');
    const grant = (name: string): Promise<void> =>
      setting.database.transaction((client) => grantServiceRole(client, { name, password: 'another' }));
    await expect(grant(user)).rejects.toMatchObject({ code: 'configuration_invalid' });
    const owner = `owner_${randomBytes(6).toString('hex')}`;
    await setting.query(`create role ${owner}`);
    try {
      await setting.query(`alter view fairway.items owner to ${owner}`);
      await expect(grant(owner)).rejects.toMatchObject({
        message: `FAIRWAY_SERVICE_ROLE: '${owner}' can change the schema; name a role that owns nothing, or one that is not there yet`,
      });
      const [role] = await setting.query<{ rolcanlogin: boolean }>(
        'select rolcanlogin from pg_roles where rolname = $1',
        [owner],
      );
      expect(role?.rolcanlogin).toBe(false);
    } finally {
      await setting.query(`drop owned by ${owner} cascade`);
      await setting.query(`drop role ${owner}`);
    }
  }));
