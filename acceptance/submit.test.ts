import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gateBefore } from './proxy.js';
import { freePort, interrupt, killNow, run, start, withFolder, type Outcome } from './support.js';

const header = 'orig_code,dest_code,day,price\n';
const item = 'CNGGZ,EETLL,2021-05-01,1200\n';
const ndjson = '{"orig_code":"CNGGZ","dest_code":"EETLL","day":"2021-05-01","price":1200}\n';

type Fairway = (words: string[], env?: Record<string, string>, input?: string) => Promise<Outcome>;

/** A service of its own; `fairway` asks it, `file` makes a file and gives its path. */
const withService = (
  work: (fairway: Fairway, file: (name: string, content: string | Buffer) => string) => Promise<void>,
): Promise<void> =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const fairway: Fairway = (words, env = {}, input) =>
      run(words, { FAIRWAY_URL: running.url, ...env }, input);
    await work(fairway, (name, content) => fileIn(dirname(data), name, content));
    expect(await interrupt(running)).toBe(0);
  });

function fileIn(folder: string, name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const published = (items: string) =>
  new RegExp(`^batch \\d+ published: ${items} on 1 lane, revision \\d+\\n$`);

test('every format is recognised, packed or not, from a file or standard input; a repeat finds its verdict', () =>
  withService(async (fairway, file) => {
    const csv = header + item + item;
    const inputs: [string, string | Buffer, string][] = [
      ['prices.csv', csv, 'csv'],
      ['prices', gzipSync(csv), 'csv'],
      ['prices.txt', ndjson + ndjson, 'ndjson'],
      ['prices.json', `[${ndjson},${ndjson}]`, 'json'],
      ['whole.json', `{ "prices": [${ndjson},${ndjson}]}`, 'json'],
      ['lines.gz', gzipSync(ndjson + ndjson), 'ndjson'],
    ];
    for (const [name, content, format] of inputs) {
      const outcome = await fairway(['submit', file(name, content), '--json']);
      expect(outcome, name).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(outcome.stdout)).toMatchObject({ state: 'published', items: 2, format });
    }
    const kept = file('kept', '');
    rmSync(kept);
    mkdirSync(kept);
    const mine = ['submit', '-', '--key', 'mine', '--items', '2'];
    const piped = await fairway(mine, { TMPDIR: kept }, csv);
    expect(piped).toMatchObject({ code: 0, stderr: '' });
    expect(piped.stdout).toMatch(published('2 items'));
    expect(readdirSync(kept)).toEqual([]);
    const again = await fairway(mine, {}, csv);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toBe(piped.stdout.replace('published', 'was published already'));
    const other = await fairway(['submit', '-', '--key', 'mine'], {}, csv + item);
    expect(other).toMatchObject({ code: 3, stdout: '' });
    expect(other.stderr).toMatch(
      /^fairway: this Idempotency-Key belongs to batch \d+, which has other content/,
    );
    const count = await fairway(['submit', '-', '--items', '3'], {}, csv);
    expect(count.code).toBe(3);
    expect(count.stdout).toMatch(/^stdin:4:1: 3 items were declared, 2 came\n/);
  }));

test('a rejected file prints like a compiler, with a summary by code; more than 100 faults are fetched', () =>
  withService(async (fairway, file) => {
    const rows = ['CNXXX,EETLL,2021-01-01,1188', 'CNGGZ,EETLL,2021-02-30,1.5', '"CNGGZ",EETLL,2021-01-01,1'];
    const path = file('prices.csv', `${header}${rows.join('\n')}\nCNGGZ,CNGGZ,2021-01-01,1\x1b[2J\n`);
    const shown = `prices.csv:2:1: unknown port 'CNXXX' (did you mean CNXMN or CNTXG?)
prices.csv:3:13: '2021-02-30' is not a date of the calendar written YYYY-MM-DD
prices.csv:3:24: '1.5' is not a whole number in plain digits
prices.csv:5:7: origin and destination are both CNGGZ
prices.csv:5:24: '1\\u001b[2J' is not a whole number in plain digits
faults by code:
  2  price_invalid
  1  day_invalid
  1  port_unknown
  1  same_port
`;
    const stderr = 'fairway: prices.csv has 5 faults; nothing of it is published\n';
    const rejected = await fairway(['submit', path]);
    expect(rejected).toEqual({ code: 3, stdout: shown, stderr });
    const checked = await fairway(['submit', path, '--dry-run']);
    expect(checked).toEqual(rejected);
    const asJson = await fairway(['submit', path, '--json']);
    expect(asJson.code).toBe(3);
    const { batch, error_total } = JSON.parse(asJson.stdout) as {
      batch: { id: string };
      error_total: number;
    };
    expect(error_total).toBe(5);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'batch_rejected' } });
    const listed = await fairway(['errors', batch.id]);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toBe(rejected.stdout.replaceAll('prices.csv', `batch ${batch.id}`));

    const many = file('many.csv', header + 'CNGGZ,EETLL,2021-01-01,no\n'.repeat(12_345));
    const few = await fairway(['submit', many]);
    expect(few.stdout.split('\n')).toHaveLength(103);
    expect(few.stderr).toMatch(
      /^fairway: many.csv has 12,345 faults, the first 100 are above, 'fairway errors \d+' shows more; nothing/,
    );
    const all = await fairway(['submit', many, '--all']);
    expect(all.code).toBe(3);
    expect(all.stdout.split('\n')).toHaveLength(12_348);
    expect(all.stdout).toContain("\nmany.csv:12346:24: 'no' is not a whole number in plain digits\n");
    const id = /errors (\d+)/.exec(few.stderr)?.[1] ?? '';
    const csv = await fairway(['errors', id, '--csv']);
    expect(csv.stdout.split('\r\n')).toHaveLength(12_347);
    const json = await fairway(['errors', id, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ error_total: 12_345, errors: { length: 12_345 } });
  }));

test('a dry run tells what would move and publishes nothing; replace and withdraw, also twice', () =>
  withService(async (fairway, file) => {
    const path = file('prices.csv', header + item.repeat(4));
    const dearer = file('dearer.csv', header + item.replace('1200', '1500').repeat(4));
    const nothing = await fairway(['submit', path, '--dry-run']);
    expect(nothing).toMatchObject({ code: 0, stderr: '' });
    expect(nothing.stdout).toMatch(
      /^no faults; it would touch 1 lane on 1 day \(1 rate\) with 4 items; nothing/,
    );
    const first = await idOf(fairway, ['submit', path]);
    const moved = await fairway(['submit', dearer, '--dry-run', '--replace', first]);
    expect(moved).toMatchObject({ code: 0, stderr: '' });
    expect(moved.stdout).toMatch(
      /\nlargest moves of the average:\nlane +day +before +after +move\nCNGGZ EETLL {2}2021-05-01 +[0-9.]+ +[0-9.]+ +\+[0-9.]+ %\n$/,
    );
    const second = await idOf(fairway, ['submit', dearer, '--replace', first]);
    const one = await fairway(['batches', first]);
    expect(one.stdout).toMatch(new RegExp(`^state +withdrawn$[^]*^replaced by +batch ${second}$`, 'm'));
    const again = await fairway(['submit', path, '--replace', first]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    const withdrawn = await fairway(['withdraw', second]);
    expect(withdrawn).toMatchObject({ code: 0, stderr: '' });
    expect(withdrawn.stdout).toMatch(new RegExp(`^batch ${second} is withdrawn since revision \\d+\\n$`));
    expect(await fairway(['withdraw', second])).toEqual(withdrawn);
    const list = await fairway(['batches', '--state', 'withdrawn', '--limit', '1']);
    expect(list.stdout).toMatch(
      /^id +state[^\n]+\n *\d+ +withdrawn[^\n]+\nthe newest 1; there are more, see --limit\n$/,
    );
    const json = await fairway(['batches', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ batches: { length: 3 }, next: null });
    const unknown = await fairway(['withdraw', '999']);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
  }));

async function idOf(fairway: Fairway, words: string[]): Promise<string> {
  const { stdout } = await fairway([...words, '--json']);
  return (JSON.parse(stdout) as { id: string }).id;
}

test('without a key, or with one that lacks the scope, it ends with 2 and says how to make one', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_HOST: '0.0.0.0' });
    const service = { FAIRWAY_URL: running.url.replace('0.0.0.0', '127.0.0.1') };
    const path = fileIn(dirname(data), 'prices.csv', header + item);
    const keyFor = async (...scopes: string[]): Promise<string> => {
      const words = ['keys', 'create', '--name', scopes.join(' '), '--scope', ...scopes];
      const { stdout } = await run(words, { FAIRWAY_DATA_DIR: data });
      return stdout.trim();
    };
    const [ingest, withdraw] = [await keyFor('ingest'), await keyFor('withdraw')];
    const none = await run(['submit', path], service);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toMatch(
      /fairway keys create --name NAME --scope ingest.*FAIRWAY_API_KEY or --api-key/,
    );
    const wrong = await run(['submit', path, '--api-key', withdraw], service);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/has the scopes withdraw; this needs ingest/);
    expect(wrong.stderr).not.toContain(withdraw);
    const secret = fileIn(dirname(data), 'secret', `${ingest}\n`);
    const right = await run(['submit', path], { ...service, FAIRWAY_API_KEY_FILE: secret });
    expect(right).toMatchObject({ code: 0, stderr: '' });
    const id = /^batch (\d+)/.exec(right.stdout)?.[1] ?? '';
    expect((await run(['withdraw', id], { ...service, FAIRWAY_API_KEY: ingest })).code).toBe(2);
    const config = await run(['config'], { FAIRWAY_API_KEY: ingest });
    expect(config.stdout).toMatch(/^FAIRWAY_API_KEY +\*\*\*/m);
    expect(config.stdout + config.stderr).not.toContain(ingest);
    expect(await interrupt(running)).toBe(0);
  }));

test(
  'a service killed in the middle of an upload of a million items: the same command sees it through, once',
  () =>
    withFolder(async (data) => {
      const port = String(await freePort());
      const env = { FAIRWAY_DATA_DIR: data, FAIRWAY_PORT: port };
      const first = await start(env);
      const sample = await run(['sample', '--items', '1000000', '--seed', '3']);
      const path = fileIn(dirname(data), 'million.csv', sample.stdout);
      const gate = await gateBefore(Number(port), 10 << 20);
      try {
        const submitted = run(['submit', path, '--key', 'million'], { FAIRWAY_URL: gate.url });
        await gate.held();
        killNow(first.child.pid);
        await first.ended;
        gate.open();
        const second = await start(env);
        const outcome = await submitted;
        expect(outcome).toMatchObject({ code: 0, stderr: '' });
        expect(outcome.stdout).toMatch(
          /^batch \d+ published: 1,000,000 items on [0-9,]+ lanes, revision \d+\n$/,
        );
        const { stdout } = await run(['batches', '--json'], { FAIRWAY_URL: second.url });
        const { batches } = JSON.parse(stdout) as { batches: { key: string | null; state: string }[] };
        expect(batches.map(({ key, state }) => [key, state])).toEqual([
          ['million', 'published'],
          [null, 'published'],
        ]);
        expect(await interrupt(second)).toBe(0);
      } finally {
        gate.close();
      }
    }),
  120_000,
);

test('a service that never comes ends with 4 within patience, and says how to ask again', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const begun = performance.now();
  const outcome = await run(['submit', '-', '--patience', '2'], { FAIRWAY_URL: url }, header + item);
  expect(outcome).toMatchObject({ code: 4, stdout: '' });
  expect(performance.now() - begun).toBeGreaterThan(2_000);
  expect(outcome.stderr).toMatch(
    /^fairway: no answer from [^\n]+\nthe verdict is not known; 'fairway submit - --key [0-9a-f-]{36}' asks for it\n$/,
  );
  const wrong: [string[], RegExp][] = [
    [['--key', ' x'], /--key: at most 200 plain characters/],
    [['--replace', 'x'], /--replace: 'x' is not a whole number/],
    [['--items', '-1'], /--items: '-1' is not a whole number/],
    [['--format', 'xml'], /Allowed choices are csv, ndjson, json/],
  ];
  for (const [words, message] of wrong) {
    const usage = await run(['submit', '-', ...words], { FAIRWAY_URL: url }, '');
    expect(usage).toMatchObject({ code: 2, stdout: '' });
    expect(usage.stderr).toMatch(message);
  }
});
