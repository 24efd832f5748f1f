/** POST /rates/query, CSV, and answers packed for the wire. */
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { formatDay, parseDay } from '../../src/days.js';
import type { Server } from '../../src/http/server.js';
import { importContent } from '../../src/ingest/import.js';
import { answersOfMany } from '../../src/query/many.js';
import { RatesSource } from '../../src/query/rates.js';
import { rollUp } from '../../src/query/roll-up.js';
import { withDatabase, type TestDatabase } from '../support/database.js';
import { dumpText, textSource } from '../support/dump.js';
import { publishItems, type TestItem } from '../support/publish.js';
import { withServer } from '../support/server.js';

const first = parseDay('2021-01-01') ?? 0;
const quiet = (): void => undefined;
const days = { date_from: '2021-01-01', date_to: '2021-01-03' };

/** Lanes of one port to 300 others, so that several statements are needed. */
const many = Array.from({ length: 900 }, (_, index) => `P${index}`);
const items = (price: number): TestItem[] =>
  many.flatMap((port) =>
    [0, 1, 2, 3].map((n): TestItem => ['AAAAA', port, first + (n === 3 ? 1 : 0), price + n]),
  );

const filled = (work: (server: Server, test: TestDatabase) => Promise<void>) =>
  withDatabase(async (test) => {
    await importContent(test.database, textSource(dumpText()));
    await publishItems(test.database, items(10));
    await publishItems(
      test.database,
      [1, 2, 4].map((price) => ['AAAAA', 'BBBBB', first, price]),
    );
    await withServer(test, (server) => work(server, test));
  });

const query = (server: Server, payload: object, options: { accept?: string; format?: string } = {}) =>
  server.inject({
    method: 'POST',
    url: `/rates/query${options.format ? `?format=${options.format}` : ''}`,
    payload,
    headers: options.accept ? { accept: options.accept } : {},
  });

const mixed = [
  { ...days, orig_code: 'AAAAA', dest_code: 'P7' },
  { ...days, origin: 'AAAAA', destination: 'europe' },
  { ...days, orig_code: 'NOPE', dest_code: 'P8' },
  { date_from: '2021-01-03', date_to: '2021-01-01', origin: 'AAAAA', destination: 'BBBBB' },
  { ...days, origin: 'AAAAA', destination: 'BBBBB' },
];

test('each answer is what GET /rates answers, in the order of the questions, behind rollups or not', () =>
  filled(async (server, test) => {
    for (const roll of [false, true]) {
      if (roll) await rollUp(test.database, quiet);
      const answer = await query(server, { questions: mixed, stats: ['median', 'max'] });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['rates-revision']).toBe('3');
      const { revision, answers } = answer.json<{ revision: number; answers: Record<string, unknown>[] }>();
      expect(revision).toBe(3);
      expect(answers).toHaveLength(mixed.length);
      for (const [index, question] of mixed.entries()) {
        const url = `/rates?${new URLSearchParams({ ...question, stats: 'median,max' }).toString()}`;
        const alone = await server.inject({ url });
        expect(answers[index]).toEqual({ ...question, ...alone.json<object>() });
      }
      expect(JSON.stringify(answers[0])).toContain(
        '"count":3,"day":"2021-01-01","price":11,"median":11,"max":12',
      );
      expect(JSON.stringify(answers[0])).toContain('"count":1,"day":"2021-01-02","price":null,"median":null');
    }
  }));

test('all answers are of one revision, whatever is published while they go out', () =>
  filled(async (_server, test) => {
    await rollUp(test.database, quiet);
    const source = new RatesSource(test.database);
    const questions = many.map((port) => ({
      origin: { port: 'AAAAA' },
      destination: { port },
      from: first,
      to: first,
    }));
    for (const asOf of [undefined, 2]) {
      const { revision, answers } = await answersOfMany(source, { questions, ...(asOf ? { asOf } : {}) }, {});
      const averages = new Set<number>();
      let seen = 0;
      for await (const some of answers) {
        if (seen === 0) {
          await publishItems(test.database, items(1_000));
          await rollUp(test.database, quiet);
        }
        for (const { totals } of some) {
          averages.add((totals.sums[0] ?? 0) / (totals.counts[0] ?? 0));
          seen++;
        }
      }
      expect(seen).toBe(many.length);
      expect(averages.size).toBe(1);
      if (asOf) expect([revision, ...averages]).toEqual([2, 11]);
    }
  }));

test('asked again, when the ids of lanes are known, all is answered the same; they are not kept beyond their revision', () =>
  filled(async (server, test) => {
    const lane = { orig_code: 'AAAAA', dest_code: 'P7' };
    const same = [...many.slice(0, 300), 'P7', 'NOPE'].map((port) => ({ ...days, ...lane, dest_code: port }));
    const kinds = [
      // The same lane again, of other days of the same month; a lane that nobody knows.
      [...same, { ...days, ...lane, date_from: '2021-01-02' }],
      [...same, { ...lane, date_from: '2020-12-31', date_to: '2021-02-01' }, { ...days, ...lane }],
    ];
    const expectAsAlone = async (questions: Record<string, string>[]): Promise<void> => {
      const { answers } = (await query(server, { questions })).json<{ answers: object[] }>();
      expect(answers).toHaveLength(questions.length);
      for (const [index, question] of questions.entries()) {
        const alone = await server.inject({ url: `/rates?${new URLSearchParams(question).toString()}` });
        expect(answers[index]).toEqual({ ...question, ...alone.json<object>() });
      }
    };
    await rollUp(test.database, quiet);
    for (const questions of [...kinds, ...kinds]) await expectAsAlone(questions);
    // As after a restore: ids have become those of other lanes.
    await test.query(`update fairway.lanes set dest_code = 'x' where dest_code = 'P8'`);
    await test.query(`update fairway.lanes set dest_code = 'P8' where dest_code = 'P9'`);
    await test.query(`update fairway.lanes set dest_code = 'P9' where dest_code = 'x'`);
    await publishItems(test.database, [['AAAAA', 'P8', first, 99]]);
    for (const questions of kinds) await expectAsAlone(questions);
    await rollUp(test.database, quiet);
    for (const questions of [...kinds, ...kinds]) await expectAsAlone(questions);
  }));

test('NDJSON has a line for each question, CSV one for each day', () =>
  filled(async (server) => {
    const lines = (await query(server, { questions: mixed }, { accept: 'application/x-ndjson' })).body.split(
      '\n',
    );
    expect(lines).toHaveLength(mixed.length + 1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ dest_code: 'P7', rates: [{}, {}, { count: 3 }] });
    const csv = await query(server, { questions: mixed, stats: ['min'] }, { format: 'csv' });
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    const rows = csv.body.split('\r\n');
    expect(rows[0]).toBe('origin,destination,day,price,count,min');
    expect(rows[3]).toBe('AAAAA,P7,2021-01-01,11,3,10');
    expect(rows[2]).toBe('AAAAA,P7,2021-01-02,,1,');
    // Three days of each but the one whose days are the wrong way round, the header, and nothing after the last line end.
    expect(rows).toHaveLength(1 + 4 * 3 + 1);
  }));

test('a thousand questions are answered; a thousand and one are not, nor too many days', () =>
  filled(async (server) => {
    const questions = Array.from({ length: 1_000 }, (_, index) => ({
      ...days,
      orig_code: 'AAAAA',
      dest_code: `P${index}`,
    }));
    const answer = await query(server, { questions });
    const { answers } = answer.json<{ answers: { rates: { count: number | null }[] }[] }>();
    expect(answers.map(({ rates }) => rates[2]?.count)).toEqual(
      questions.map((_, index) => (index < many.length ? 3 : null)),
    );
    const more = await query(server, { questions: [...questions, questions[0]] });
    expect(more.statusCode).toBe(400);
    const long = { ...days, date_to: '2022-06-30', orig_code: 'AAAAA', dest_code: 'P1' };
    const costly = await query(server, { questions: questions.map(() => long) });
    expect([costly.statusCode, costly.json<{ code: string }>().code]).toEqual([400, 'too_costly']);
  }));

test('what is wrong with the questions is said of each, and nothing is answered', () =>
  filled(async (server) => {
    const faulty = await query(server, {
      questions: [mixed[0], { ...days, orig_code: 'AAAAA' }, { ...mixed[0], date_to: 'soon' }],
      stats: ['mode'],
    });
    expect(faulty.statusCode).toBe(400);
    expect(
      faulty.json<{ errors: { parameter: string }[] }>().errors.map(({ parameter }) => parameter),
    ).toEqual(['stats', 'questions[1].dest_code', 'questions[2].date_to']);
    const unknown = await query(server, {
      questions: [mixed[0], { ...days, origin: 'AAAAA', destination: 'eur0pe' }],
    });
    expect(unknown.json()).toMatchObject({
      status: 404,
      code: 'place_unknown',
      errors: [{ parameter: 'questions[1].destination', suggestions: [{ code: 'europe' }] }],
    });
    expect((await query(server, { questions: [mixed[0]], as_of: 99 })).json()).toMatchObject({
      status: 400,
      errors: [{ parameter: 'as_of' }],
    });
    const shapes = [{ ...days, orig_code: 7 }, { date_from: 'x', dest: 'y' }, null];
    expect(
      (await query(server, { questions: [mixed[0], ...shapes] }))
        .json<{ errors: { parameter: string }[] }>()
        .errors.map(({ parameter }) => parameter),
    ).toEqual(['questions[1].orig_code', 'questions[2].date_to', 'questions[2].dest', 'questions[3]']);
    expect((await query(server, { questions: [] })).statusCode).toBe(400);
    expect((await query(server, { questions: mixed }, { format: 'xml' })).json()).toMatchObject({
      status: 400,
      errors: [{ parameter: 'format', expected: 'one of json, ndjson, csv' }],
    });
  }));

const readme = `/rates?${new URLSearchParams({ ...days, orig_code: 'AAAAA', dest_code: 'P7' }).toString()}`;

test('GET /rates answers in CSV where Accept or format says so', () =>
  filled(async (server) => {
    const expected = 'day,price,count\r\n2021-01-03,,0\r\n2021-01-02,,1\r\n2021-01-01,11,3\r\n';
    for (const answer of [
      await server.inject({ url: `${readme}&format=csv` }),
      await server.inject({ url: readme, headers: { accept: 'text/html;q=0.5, text/csv' } }),
    ]) {
      expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
      expect(answer.headers['rates-revision']).toBe('3');
      expect(answer.body).toBe(expected);
    }
    const preferred = await server.inject({
      url: readme,
      headers: { accept: 'text/csv;q=0.5, application/json' },
    });
    expect(preferred.headers['content-type']).toContain('application/json');
    const wrong = await server.inject({ url: `${readme}&format=xml` });
    expect(wrong.json()).toMatchObject({ status: 400, errors: [{ parameter: 'format' }] });
    const statistics = await server.inject({ url: `${readme}&stats=p2.5,avg&format=csv` });
    expect(statistics.body.split('\r\n')[3]).toBe('2021-01-01,11,3,10.05,11');
  }));

test('a large answer is packed where the client takes it, a small one is not', () =>
  filled(async (server) => {
    const large = readme.replace(days.date_to, formatDay(first + 99));
    const plain = await server.inject({ url: large });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toContain('Accept-Encoding');
    const unpack = { gzip: gunzipSync, br: brotliDecompressSync };
    for (const [accept, encoding] of [
      ['gzip', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['br;q=0.1, gzip;q=0.9', 'gzip'],
      ['*', 'br'],
    ] as const) {
      const packed = await server.inject({ url: large, headers: { 'accept-encoding': accept } });
      expect(packed.headers['content-encoding']).toBe(encoding);
      expect(unpack[encoding](packed.rawPayload).toString()).toBe(plain.body);
      expect(packed.rawPayload.length).toBeLessThan(plain.body.length / 4);
    }
    for (const accept of ['identity', 'gzip;q=0, br;q=0', 'zstd'])
      expect(
        (await server.inject({ url: large, headers: { 'accept-encoding': accept } })).headers[
          'content-encoding'
        ],
      ).toBeUndefined();
    const small = await server.inject({ url: readme, headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
    const streamed = await server.inject({
      method: 'POST',
      url: '/rates/query',
      payload: { questions: mixed },
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(JSON.parse(gunzipSync(streamed.rawPayload).toString())).toMatchObject({ revision: 3 });
  }));

test('a body that is packed, or no JSON, is a 415 that says so', () =>
  filled(async (server) => {
    const text = JSON.stringify({ questions: mixed });
    const send = (payload: string | Buffer, headers: Record<string, string>) =>
      server.inject({ method: 'POST', url: '/rates/query', payload, headers });
    const packed = await send(gzipSync(text), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(packed.json()).toMatchObject({
      code: 'unsupported_media_type',
      detail: "Content-Encoding 'gzip' is not taken here; send application/json as it is",
    });
    const plain = await send(text, { 'content-type': 'text/plain' });
    expect(plain.json()).toMatchObject({
      status: 415,
      detail: "Content-Type 'text/plain' is not taken here; send application/json as it is",
    });
    const named = await send(text, { 'content-type': 'application/json', 'content-encoding': 'identity' });
    expect(named.statusCode).toBe(200);
    const bodiless = await server.inject({ url: '/revisions', headers: { 'content-type': 'text/plain' } });
    expect(bodiless.statusCode).toBe(200);
  }));
