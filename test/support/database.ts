/** A database of its own for a test: a clone of the migrated template. A connection left open fails the test. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../../src/database/database.js';
import type { Emit, FairwayEvent } from '../../src/events.js';

export interface TestDatabase {
  database: Database;
  events: FairwayEvent[];
  /** Hears each event of the database and of whoever uses `emit`. */
  listeners: Emit[];
  emit: Emit;
  url: string;
  /** Runs a statement over a connection of its own. */
  query: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
}

const adminQuery = async (text: string): Promise<void> => {
  const admin = new pg.Client({ ...inject('server'), database: 'postgres' });
  await admin.connect();
  try {
    await admin.query(text);
  } finally {
    await admin.end();
  }
};

/** `empty`: without the schema. */
export async function withDatabase<Result>(
  work: (test: TestDatabase) => Promise<Result>,
  { empty = false } = {},
): Promise<Result> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const server = inject('server');
  await adminQuery(`create database ${name} template ${empty ? 'template0' : inject('templateDatabase')}`);
  const connection = { ...server, database: name };
  const events: FairwayEvent[] = [];
  const listeners: Emit[] = [(event) => events.push(event)];
  const emit: Emit = (event) => {
    for (const listener of listeners) listener(event);
  };
  const database = openDatabase({ connection, poolSize: 4, emit });
  const query = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> => {
    const client = new pg.Client(connection);
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  const url = `postgresql://${server.user}:${server.password}@${server.host}:${server.port}/${name}`;
  let failed = true;
  try {
    const result = await work({ database, events, listeners, emit, url, query });
    failed = false;
    return result;
  } finally {
    await database.close();
    // Without FORCE this is refused while anybody is connected: that is how a leaked connection shows.
    await dropUnused(name).catch(async (error: unknown) => {
      await adminQuery(`drop database ${name} with (force)`);
      if (!failed) throw new Error(`the test left a connection open: ${String(error)}`);
    });
  }
}

/** A backend takes a moment to go after its client has; only one that stays is a leak. */
async function dropUnused(name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await adminQuery(`drop database ${name}`);
    } catch (error) {
      if (tries === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
