/** Problems that another revision may not have say the one they are of, on whatever way they come. */
import { expect, test } from 'vitest';
import { listen } from '../../src/http/listen.js';
import { putPlace } from '../../src/ingest/places.js';
import { withdraw } from '../../src/ingest/withdraw.js';
import { purge } from '../../src/ingest/retention/purge.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase } from '../support/database.js';
import { publishItems } from '../support/publish.js';
import { withServer } from '../support/server.js';

const quiet = (): void => undefined;
const days = 'date_from=2021-01-01&date_to=2021-01-02';
const newest = '4';
/** The oldest that is kept. */
const oldest = '3';

const places = ['origin=north&destination=nowhere', [404, 'place_unknown', newest]] as const;
/** What is asked of `/rates`, either way, and of others. */
const moments = [
  ['as_of=5', [400, 'invalid_parameter', newest]],
  ['min_revision=5', [400, 'invalid_parameter', newest]],
  ['as_of=2', [410, 'revision_gone', newest]],
] as const;

test('a problem that depends on a revision names it: where places were looked for, else the newest', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      const { database } = test;
      await putPlace(database, { kind: 'region', code: 'north', name: 'North', parent: null }, quiet);
      const { batch } = await publishItems(database, [['AAAAA', 'BBBBB', 18_628, 99]]);
      await withdraw(database, batch, quiet);
      await putPlace(database, { kind: 'region', code: 'south', name: 'South', parent: null }, quiet);
      await rollUp(database, quiet);
      await purge(database, { historyDays: 0, rejectedDays: 0 }, quiet);
      const address = await listen(server, '127.0.0.1', 0);
      const told = async (path: string, init: RequestInit = {}): Promise<unknown[]> => {
        const { status, headers, ...answer } = await fetch(address + path, init).then(async (response) => ({
          status: response.status,
          headers: response.headers,
          ...((await response.json()) as { code: string }),
        }));
        return [status, answer.code, headers.get('rates-revision')];
      };
      const known = 'origin=north&destination=north';
      const rates = [
        places,
        [`${places[0]}&as_of=${oldest}`, [404, 'place_unknown', oldest]] as const,
        ...moments.flatMap(([moment, problem]) =>
          [known, 'orig_code=AAAAA&dest_code=BBBBB'].map((ends) => [`${ends}&${moment}`, problem] as const),
        ),
      ];
      for (const [question, problem] of rates) {
        const path = `/rates?${days}&${question}`;
        expect(await told(path), `direct: ${path}`).toEqual(problem);
        const headers = { authorization: 'Bearer nobody' };
        expect(await told(path, { headers }), `routed: ${path}`).toEqual(problem);
        const { as_of, min_revision, ...ends } = Object.fromEntries(new URLSearchParams(question));
        const body = JSON.stringify({
          questions: [{ date_from: '2021-01-01', date_to: '2021-01-02', ...ends }],
          ...(as_of ? { as_of: Number(as_of) } : {}),
          ...(min_revision ? { min_revision: Number(min_revision) } : {}),
        });
        const post = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
        expect(await told('/rates/query', post), body).toEqual(problem);
      }
      const sources = '/rates/sources?day=2021-01-01';
      for (const path of [`${sources}&${known}`, '/ports?', '/regions/north?'])
        for (const [moment, problem] of moments)
          expect(await told(`${path}&${moment}`), `${path}&${moment}`).toEqual(problem);
      for (const [path, problem] of [
        [`${sources}&${places[0]}`, places[1]],
        [`${sources}&${places[0]}&as_of=${oldest}`, [404, 'place_unknown', oldest]],
        [`/regions/south?as_of=${oldest}`, [404, 'place_unknown', oldest]],
        ['/ports?region=nowhere', places[1]],
        ['/revisions?since=5', [400, 'invalid_parameter', newest]],
        ['/rates/changes?since=5', [400, 'invalid_parameter', newest]],
        ['/rates/changes?since=1', [410, 'revision_gone', newest]],
      ] as const)
        expect(await told(path), path).toEqual(problem);
      // Of a question that no revision answers, none is named.
      expect(await told('/rates?')).toEqual([400, 'invalid_parameter', null]);
    }),
  ));

test('what is not there as of a revision is said to be unknown at that one', () =>
  withDatabase((test) =>
    withServer(test, async (server) => {
      await putPlace(test.database, { kind: 'region', code: 'north', name: 'North', parent: null }, quiet);
      await putPlace(
        test.database,
        { kind: 'region', code: 'pacific', name: 'Pacific', parent: null },
        quiet,
      );
      const ends = 'origin=pacific&destination=nowhere';
      const [pacific, nowhere] = [
        "there is no port or region 'pacific'",
        "there is no port or region 'nowhere'",
      ];
      const then = ' at revision 1';
      for (const [path, detail] of [
        [`/rates?${days}&${ends}`, nowhere],
        [`/rates?${days}&${ends}&as_of=1`, `${pacific}${then}; ${nowhere}${then}`],
        [`/rates/sources?day=2021-01-01&${ends}`, nowhere],
        [`/rates/sources?day=2021-01-01&${ends}&as_of=1`, `${pacific}${then}; ${nowhere}${then}`],
        ['/regions/nowhere', "there is no region 'nowhere'"],
        ['/regions/pacific?as_of=1', `there is no region 'pacific'${then}`],
        ['/ports/QQQQQ?as_of=1', `there is no port 'QQQQQ'${then}`],
        ['/ports?region=pacific&as_of=1', `there is no region 'pacific'${then}`],
      ] as const)
        expect((await server.inject({ url: path })).json(), path).toMatchObject({ status: 404, detail });
      const [origin, destination] = ['pacific', 'north'];
      const question = { date_from: '2021-01-01', date_to: '2021-01-02', origin, destination };
      const payload = { questions: [question], as_of: 1 };
      const answer = await server.inject({ method: 'POST', url: '/rates/query', payload });
      expect(answer.json()).toMatchObject({ status: 404, detail: `${pacific}${then}` });
    }),
  ));
