/** Requests whose answer never went out whole are told like any other. */
import http, { type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { listen } from '../../src/http/listen.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withServer } from '../support/server.js';
import { until } from '../support/uploads.js';

/** More lanes than are read at once, and of those more text than the connection holds. */
const items = Array.from({ length: 33 }, (_, lane) =>
  Array.from({ length: 4_000 }, (_, day): TestItem => ['AAAAA', `B${lane + 1_000}`, 10_000 + day, 100]),
).flat();

/** The first bytes of a long answer have come, and the next are not read. */
async function begun(address: string): Promise<IncomingMessage> {
  const [answer] = (await once(
    http.get(`${address}/rates/changes?since=0&format=ndjson`, { agent: false }),
    'response',
  )) as [IncomingMessage];
  answer.on('error', () => undefined);
  await once(answer, 'readable');
  return answer;
}

const statuses = ({ events }: TestDatabase) =>
  events.flatMap((event) => (event.kind === 'request' ? [event.status] : []));

test('a client that goes in the middle of an answer is in the log and the metrics', () =>
  withDatabase(async (test) => {
    await publishItems(test.database, items);
    await withServer(test, async (server) => {
      const answer = await begun(await listen(server, '127.0.0.1', 0));
      expect(statuses(test)).toEqual([]);
      answer.destroy();
      await until(() => Promise.resolve(statuses(test).length > 0));
      expect(statuses(test)).toEqual([499]);
      expect((await server.inject('/metrics')).body).toContain(
        'fairway_http_requests_total{route="/rates/changes",method="GET",status="499"} 1',
      );
    });
  }));

test('an answer that breaks off on the way tells why', () =>
  withDatabase(async (test) => {
    await publishItems(test.database, items);
    await withServer(test, async (server) => {
      const answer = await begun(await listen(server, '127.0.0.1', 0));
      await test.query("update fairway.segments set payload = ''");
      await new Promise((resolve) => answer.resume().once('close', resolve));
      expect(answer.complete).toBe(false);
      await until(() => Promise.resolve(statuses(test).length > 0));
      expect(statuses(test)).toEqual([500]);
      expect(test.events).toContainEqual(expect.objectContaining({ kind: 'request-failed' }));
    });
  }));
