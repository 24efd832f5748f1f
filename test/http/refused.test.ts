/** POST /rates/query refuses what is too costly before the first answer goes out, though it shows late. */
import { expect, test } from 'vitest';
import { formatDay, parseDay } from '../../src/days.js';
import type { Server } from '../../src/http/server.js';
import { putPlace } from '../../src/ingest/places.js';
import { newestRevision } from '../../src/query/head.js';
import { rollUp } from '../../src/query/roll-up.js';
import { mostPrices } from '../../src/query/statistics/prices.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems } from '../support/publish.js';
import { withServer } from '../support/server.js';

const first = parseDay('2021-01-01') ?? 0;
/** Some 200 kB of answer: it goes out while the next one is made. */
const long = { date_from: formatDay(first - 3_980), date_to: formatDay(first) };
const ask = (server: Server, payload: object) =>
  server.inject({ method: 'POST', url: '/rates/query', payload });

const statements = ({ events }: TestDatabase): string[] =>
  events.flatMap((event) => (event.kind === 'statement-read' ? [event.statement] : []));

test('prices behind the last of many questions are counted before those of the first are read', () =>
  withDatabase(async (test) => {
    await publishItems(
      test.database,
      ['BBBBB', 'CCCCC'].map((port) => ['AAAAA', port, first, 10]),
    );
    await rollUp(test.database, test.emit);
    // A rollup that says so: what it costs is known from there.
    const payload = Buffer.from([4, 1, 0, 0, 0, 0, 0, 1]);
    payload.writeUInt32BE(mostPrices + 1, 3);
    await test.query(
      "update fairway.rollups r set payload = $1 from fairway.lanes l where l.id = r.lane and l.dest_code = 'CCCCC'",
      [payload],
    );
    await withServer(test, async (server) => {
      const to = (dest_code: string) => ({ ...long, orig_code: 'AAAAA', dest_code });
      const fine = Array.from({ length: 5 }, () => to('BBBBB'));
      const refused = await ask(server, { questions: [...fine, to('CCCCC')], stats: ['median'] });
      expect(refused.json()).toMatchObject({ status: 400, code: 'too_costly' });
      expect(statements(test)).not.toContain('prices-between');
      expect((await ask(server, { questions: fine, stats: ['median'] })).statusCode).toBe(200);
      expect(statements(test)).toContain('prices-between');
    });
  }));

test('regions whose rollups are of another tree of places are refused where their lanes are too many', () =>
  withDatabase(async (test) => {
    const put = (kind: 'port' | 'region', code: string, parent: string | null) =>
      putPlace(test.database, { kind, code, name: code, parent }, test.emit);
    for (const region of ['west', 'east']) {
      await put('region', region, null);
      const ports = Array.from(
        { length: 63 },
        (_, index) => `${region === 'west' ? 'W' : 'E'}${100 + index}`,
      );
      for (const port of ports) await put('port', port, region);
    }
    await publishItems(test.database, [['W100', 'E100', first, 10]]);
    const before = await newestRevision(test.database);
    await withServer(test, async (server) => {
      const origins = ['W100', 'W101', 'W102', 'W103', 'west'];
      const questions = origins.map((origin) => ({ ...long, origin, destination: 'east' }));
      await rollUp(test.database, test.emit);
      expect((await ask(server, { questions, as_of: before })).statusCode).toBe(200);
      await put('region', 'north', null);
      await rollUp(test.database, test.emit);
      const refused = await ask(server, { questions, as_of: before });
      expect(refused.json()).toMatchObject({ status: 400, code: 'too_costly' });
      expect((await ask(server, { questions })).statusCode).toBe(200);
    });
  }));
