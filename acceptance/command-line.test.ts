import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg, { type ClientConfig } from 'pg';
import { expect, test } from 'vitest';
import { command, freePort, interrupt, run, start, withFolder } from './support.js';

const commands = [
  'up',
  'serve',
  'migrate',
  'import',
  'rates',
  'sample',
  'config',
  'submit',
  'batches',
  'errors',
  'withdraw',
  'rollup',
  'verify',
];
const days = ['--from', '2021-01-01', '--to', '2021-01-31'];

test('help names every command, and each command shows an example', async () => {
  const help = await run(['--help']);
  expect(help.code).toBe(0);
  for (const name of commands) {
    expect(help.stdout).toContain(`  ${name} `);
    const own = await run([name, '--help']);
    expect(own.code).toBe(0);
    expect(own.stdout).toMatch(/Examples?:\n {2}\S/);
  }
});

test('wrong use ends with 2 and says what was wrong', async () => {
  const cases: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /Usage: fairway/],
    [['prices'], {}, /unknown command 'prices'/],
    [['rates', 'CNGGZ', ...days], {}, /missing required argument 'destination'/],
    [['rates', ...days], {}, /missing required argument 'origin'.*--lane or --lanes/],
    [['rates', '--lane', 'CNGGZ', ...days], {}, /--lane: 'CNGGZ' is not ORIGIN:DESTINATION/],
    [['rates', 'A', 'B', ...days, '--min-revision', 'x'], {}, /--min-revision: 'x' is not a whole number/],
    [['rates', 'A', 'B', ...days, '--format', 'xml'], {}, /Allowed choices are table, csv, json/],
    [['rates', 'A', 'B', ...days, '--format', 'csv', '--json'], {}, /cannot be used with option '--json'/],
    [['rates', 'A', 'B', '--from', '2021-01-01'], {}, /required option '--to <day>'/],
    [['config'], { FAIRWAY_PORT: '80000' }, /FAIRWAY_PORT: '80000' is not a whole number from 0 to 65535/],
    [['config'], { FAIRWAY_LOG_LEVEL: 'loud' }, /FAIRWAY_LOG_LEVEL: 'loud' is none of/],
    [['config'], { DATABASE_URL: 'mysql://x' }, /DATABASE_URL: it does not have the form/],
    [['config'], { DATABASE_URL_FILE: '/no/such/file' }, /DATABASE_URL_FILE: cannot read it/],
    [['config'], { FAIRWAY_CONFIG: '/no/such/file' }, /cannot be read as JSON/],
    [['sample', '--items', 'many'], {}, /--items: 'many' is not a whole number/],
    [
      ['migrate'],
      { PGSERVICE: 'nowhere', PGSERVICEFILE: '/no/such/file' },
      /PGSERVICE: there is no service 'nowhere'/,
    ],
  ];
  for (const [words, env, message] of cases) {
    const outcome = await run(words, env);
    expect(outcome.code, words.join(' ')).toBe(2);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stdout).toBe('');
  }
});

test('a service that is not there ends with 4, a database likewise; in JSON where asked', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const text = await run(['rates', 'CNGGZ', 'EETLL', ...days], { FAIRWAY_URL: url });
  expect(text).toMatchObject({ code: 4, stdout: '' });
  expect(text.stderr).toContain(`no answer from ${url}`);
  const json = await run(['rates', 'CNGGZ', 'EETLL', ...days, '--json'], { FAIRWAY_URL: url });
  expect(json.code).toBe(4);
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'service_unreachable' } });
  const migrate = await run(['migrate'], {
    PGHOST: '127.0.0.1',
    PGPORT: String(await freePort()),
    PGUSER: 'x',
    PGDATABASE: 'x',
  });
  expect(migrate).toMatchObject({ code: 4, stdout: '' });
});

test('rates prints a table, CSV or JSON; nothing but text in a pipe; faults of the question end with 2', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const env = { FAIRWAY_URL: running.url };
    const table = await run(['rates', 'CNGGZ', 'EETLL', ...days], env);
    expect(table).toMatchObject({ code: 0, stderr: '' });
    const lines = table.stdout.trim().split('\n');
    expect(lines).toHaveLength(32);
    expect(lines[1]).toMatch(/^2021-01-01 +[0-9.]+ +3 {2}█+/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(table.stdout).not.toContain('\x1b');
    const csv = await run(['rates', 'CNGGZ', 'EETLL', '--csv', ...days], env);
    expect(csv.stdout).toMatch(/^day,price,count\n2021-01-31,[0-9.]+,3\n/);
    const json = await run(['rates', 'CNGGZ', 'EETLL', '--json', ...days], env);
    expect(JSON.parse(json.stdout)).toHaveProperty('rates.length', 31);
    const figures = await run(['rates', 'CNGGZ', 'EETLL', '--stats', 'median,p97.5', ...days], env);
    expect(figures.stdout).toMatch(
      /^day +price +median +p97.5 +items\n2021-01-01 +[0-9.]+ +1188.00 +[0-9.]+ +3 {2}█/,
    );
    const wrong = await run(['rates', 'CNGGZ', 'EETLL', '--from', '2021-02-30', '--to', '2021-03-01'], env);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("there is no day '2021-02-30' in the calendar");
    expect(await interrupt(running)).toBe(0);
  }));

test('rates of several lanes, from words, a file and standard input, as of one revision; none but known places', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const env = { FAIRWAY_URL: running.url };
    const day = ['--from', '2021-01-01', '--to', '2021-01-01'];
    const ask = (words: string[], input = '') => run(['rates', ...words, ...day], env, input);
    const words = ['CNGGZ', 'EETLL', '--lane', 'china:north_europe', '--stats', 'max'];
    const csv = await ask([...words, '--format', 'csv', '--min-revision', '1']);
    expect(csv).toMatchObject({ code: 0, stderr: '' });
    expect(csv.stdout).toMatch(
      /^origin,destination,day,price,count,max\nCNGGZ,EETLL,2021-01-01,[0-9.]+,3,1263\nchina,north_europe,2021-01-01,[0-9.]+,\d+,\d+\n$/,
    );
    const tables = await ask(words);
    expect(tables.stdout).toMatch(
      /^CNGGZ to EETLL\nday .*\n2021-01-01 .*\n\nchina to north_europe\nday .*\n2021-01-01 .*\n$/,
    );
    const file = 'origin,destination\nCNGGZ,EETLL\n\nchina,north_europe\r\n';
    const listed = await ask(['--lanes', '-', '--json', '--as-of', '1'], file);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      revision: 1,
      answers: [
        { origin: 'CNGGZ', destination: 'EETLL', rates: [{ count: 3 }] },
        { origin: 'china', destination: 'north_europe' },
      ],
    });
    const wrong = await ask(['--lanes', '-'], 'CNGGZ,EETLL\nCNGGZ\n');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toBe("fairway: -, line 2: 'CNGGZ' is not ORIGIN,DESTINATION\n");
    expect(await ask(['--lanes', '/no/such/file'])).toMatchObject({ code: 1, stdout: '' });
    const unknown = await ask(['--lane', 'CNGGZ:EETLX', '--csv']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('did you mean EETLL (Tallinn)?');
    const before = await ask(['CNGGZ', 'EETLL', '--as-of', '0']);
    expect(before).toMatchObject({ code: 2, stdout: '' });
    expect(before.stderr).toContain("there is no port or region 'CNGGZ' at revision 0");
    for (const revision of ['--as-of', '--min-revision'])
      for (const lane of [
        ['CNGGZ', 'EETLL'],
        ['--lane', 'CNGGZ:EETLL'],
      ]) {
        const early = await ask([...lane, revision, '99']);
        expect(early).toMatchObject({ code: 2, stdout: '' });
        expect(early.stderr).toContain('there is no revision 99 yet');
      }
    expect(await interrupt(running)).toBe(0);
  }));

test('a dump that is refused ends with 3 and its line; a file that is not there with 1', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const dump = (await run(['sample', '--items', '100', '--format', 'dump'])).stdout;
    const cut = await run(['import', '-'], env, dump.slice(0, dump.length / 2));
    expect(cut).toMatchObject({ code: 3, stdout: '' });
    expect(cut.stderr).toMatch(
      /^fairway: line \d+: the file ends within the rows of prices; it was cut off\n$/,
    );
    const json = await run(['import', '-', '--json'], env, 'nonsense\n');
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'dump_invalid', line: 1 } });
    const absent = await run(['import', '/no/such/file.sql'], env);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain('/no/such/file.sql');
  }));

test('config shows values and where they came from, and no secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-config-'));
  try {
    const file = join(folder, 'fairway.json');
    const secret = join(folder, 'secret');
    writeFileSync(file, '{"port": 4000, "seed": "none", "logLevel": "error"}');
    writeFileSync(secret, 'postgresql://user:hush-hush@db.example/rates\n');
    chmodSync(secret, 0o600);
    const env = {
      FAIRWAY_CONFIG: file,
      FAIRWAY_PORT: '5000',
      DATABASE_URL_FILE: secret,
      FAIRWAY_PROT: '1',
      PGPASSWORD: 'also-secret',
    };
    const outcome = await run(['config', '--json'], env);
    expect(outcome.stderr).toBe(
      "fairway: FAIRWAY_PROT is not a setting of Fairway; 'fairway config' lists them\n",
    );
    const { settings } = JSON.parse(outcome.stdout) as {
      settings: { name: string; value: unknown; origin: string; from: string }[];
    };
    const byName = Object.fromEntries(
      settings.map(({ name, value, origin, from }) => [name, { value, origin, from }]),
    );
    expect(byName['FAIRWAY_PORT']).toEqual({ value: 5000, origin: 'environment', from: 'FAIRWAY_PORT' });
    expect(byName['FAIRWAY_SEED']).toMatchObject({ value: 'none', origin: 'file' });
    expect(byName['FAIRWAY_HOST']).toMatchObject({ value: '127.0.0.1', origin: 'default' });
    expect(byName['DATABASE_URL']).toEqual({
      value: 'postgresql://user:***@db.example/rates',
      origin: 'environment',
      from: 'DATABASE_URL_FILE',
    });
    const text = await run(['config'], env);
    expect(text.stdout + outcome.stdout).not.toMatch(/hush-hush|also-secret/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('sample data is the same for ever, in both forms, and a link to the command works', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-link-'));
  try {
    const link = join(folder, 'fairway-link');
    symlinkSync(command, link);
    const csv = await run(['sample', '--items', '1000', '--seed', '1'], {}, '', link);
    expect(csv.code).toBe(0);
    expect(createHash('sha256').update(csv.stdout).digest('hex')).toBe(
      '976a6b9c2c3d69a7374f1ff223a6d0a288c8c46b0f01576067486a5ebb90bcff',
    );
    expect(csv.stdout.split('\n')).toHaveLength(1002);
    const dump = await run(['sample', '--items', '1000', '--seed', '1', '--format', 'dump']);
    expect(dump.stdout).toContain(
      'COPY public.prices (orig_code, dest_code, day, price) FROM stdin;\nCNGGZ\tEETLL\t2021-01-01\t1188\n',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('verify compares everything with the items, rollup --rebuild makes rollups anew', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data };
    const running = await start(env);
    try {
      expect(await run(['rollup'], env)).toMatchObject({ code: 0, stdout: 'rollups stand for revision 1\n' });
      const good = await run(['verify'], env);
      expect(good).toMatchObject({ code: 0, stderr: '' });
      expect(good.stdout).toMatch(
        /^revision 1: 1 batches, 50,\d+ items in [\d,]+ segments; [\d,]+ rollups of [\d,]+ lanes at revision 1\nall of it is as it should be\n$/,
      );
      const details = JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8')) as ClientConfig;
      const client = new pg.Client(details);
      await client.connect();
      await client.query('delete from fairway.rollups where lane = 1');
      await client.end();
      const bad = await run(['verify'], env);
      expect(bad.code).toBe(1);
      expect(bad.stdout).toMatch(/\n\w+-\w+, \d{4}-\d{2}: there is no rollup; the items come to \d+ items/);
      expect(bad.stderr).toMatch(
        /^fairway: \d+ things? (are|is) not as .* should be; 'fairway rollup --rebuild'/,
      );
      const mended = await run(['rollup', '--rebuild', '--json'], env);
      expect(JSON.parse(mended.stdout)).toMatchObject({ revision: 1 });
      expect(await run(['verify'], env)).toMatchObject({ code: 0 });
    } finally {
      await interrupt(running);
    }
  }));
