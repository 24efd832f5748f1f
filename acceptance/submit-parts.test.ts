/** Files above 64 MB: in parts, through kills of either side, once. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gateBefore, type Gate } from './proxy.js';
import { begin, freePort, interrupt, killNow, run, start, withFolder, type Running } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'fairway-acceptance-parts-'));
const large = join(folder, 'large.csv');
const memory = `${large}.fairway.json`;
const items = 2_700_000;
/** Of 32 MB each. */
const parts = 3;

beforeAll(async () => {
  const { stdout } = await run(['sample', '--items', String(items), '--seed', '3']);
  writeFileSync(large, stdout);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Listed {
  id: string;
  key: string | null;
  state: string;
  items: number;
  parts: boolean;
  replaces: string | null;
}

async function uploadsOf({ url }: Running): Promise<Listed[]> {
  const { batches } = (await (await fetch(`${url}/batches`)).json()) as {
    batches: (Listed & { source: string })[];
  };
  return batches.filter(({ source }) => source === 'upload').toReversed();
}

/** Parts by what became of them, since the service was started. */
async function partsTaken({ url }: Running): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const lines = metrics.matchAll(/^fairway_parts_total\{outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, outcome = '', count]) => [outcome, Number(count)]));
}

const arrivedAt = async ({ url }: Running, id: string): Promise<number> => {
  const { parts: arrived } = (await (await fetch(`${url}/batches/${id}/parts`)).json()) as {
    parts: unknown[];
  };
  return arrived.length;
};

/** `large` with some of its lines replaced, by their number. */
function changed(name: string, lines: Record<number, string>): string {
  const path = join(folder, name);
  const bytes = readFileSync(large);
  const file = openSync(path, 'w');
  let [from, line, at] = [0, 1, 0];
  for (const [number, text] of Object.entries(lines)) {
    for (; line < Number(number); line++) at = bytes.indexOf(10, at) + 1;
    writeSync(file, bytes, from, at - from);
    writeSync(file, text);
    from = bytes.indexOf(10, at);
  }
  writeSync(file, bytes, from, bytes.length - from);
  closeSync(file);
  return path;
}

const killedAt: [string, number | RegExp, string[]][] = [
  ['before anything arrived', 100, []],
  ['when it is open and does not know it', /^POST \/batches HTTP/, []],
  ['in the first parts', 20 << 20, []],
  ['with parts there', 45 << 20, ['--streams', '1']],
  ['in the last part', 70 << 20, ['--streams', '2']],
  ['when it is published and does not know it', /^POST \/batches\/\d+\/publish/, []],
];

test('kill -9 of submit at several moments: the same command sends what is missing and publishes once', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const port = Number(new URL(running.url).port);
    let count = 0;
    for (const [moment, limit, words] of killedAt) {
      const gate = await gateBefore(port, limit);
      try {
        const env = { FAIRWAY_URL: gate.url };
        const first = begin(['submit', large, ...words], env);
        await gate.held();
        killNow(first.child.pid);
        await first.outcome;
        expect(existsSync(memory), moment).toBe(true);
        const before = (await uploadsOf(running)).at(count);
        const arrived = before ? await arrivedAt(running, before.id) : 0;
        if (moment === 'with parts there') expect(arrived).toBe(1);
        gate.open();
        gate.requests.length = 0;
        const second = await run(['submit', large], env);
        expect(second, moment).toMatchObject({ code: 0, stderr: '' });
        const published = before?.state === 'published' ? 'was published already' : 'published';
        expect(second.stdout, moment).toMatch(new RegExp(`^batch \\d+ ${published}: 2,700,000 items on `));
        const sent = gate.requests.filter((line) => line.startsWith('PUT '));
        // What the killed one had sent may have been stored after we looked.
        expect(sent.length, moment).toBeLessThanOrEqual(parts - arrived);
        expect(await partsTaken(running), moment).toMatchObject({ stored: parts * (count + 1) });
        expect(existsSync(memory), moment).toBe(false);
        const uploads = await uploadsOf(running);
        expect(uploads, moment).toHaveLength(++count);
        expect(uploads.at(-1), moment).toMatchObject({ state: 'published', items, parts: true });
      } finally {
        gate.close();
      }
    }
    expect(await interrupt(running)).toBe(0);
  }));

test('kill -9 of the service in the middle: submit sees it through; a part that arrived is not sent again', () =>
  withFolder(async (data) => {
    const env = { FAIRWAY_DATA_DIR: data, FAIRWAY_PORT: String(await freePort()) };
    const first = await start(env);
    const gate: Gate = await gateBefore(Number(env.FAIRWAY_PORT), 45 << 20);
    try {
      const submitted = run(['submit', large, '--streams', '1', '--key', 'mine'], { FAIRWAY_URL: gate.url });
      await gate.held();
      killNow(first.child.pid);
      await first.ended;
      gate.open();
      const second = await start(env);
      expect(await submitted).toMatchObject({ code: 0, stderr: '' });
      expect(await uploadsOf(second)).toMatchObject([{ key: 'mine', state: 'published', items }]);
      expect(await partsTaken(second)).toMatchObject({ stored: parts - 1 });
      expect(await interrupt(second)).toBe(0);
    } finally {
      gate.close();
    }
  }));

test('faults have the lines of the file and leave nothing; corrected it takes the place of another', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const env = { FAIRWAY_URL: running.url };
    const faulty = changed('faulty.csv', {
      3: 'CNGGZ,EETLL,2021-01-01,x',
      1_500_000: 'CNXXX,EETLL,2021-01-01,1',
      2_700_001: 'CNGGZ,EETLL,2021-02-30,1',
    });
    expect(await run(['submit', faulty], env)).toEqual({
      code: 3,
      stdout: `faulty.csv:3:24: 'x' is not a whole number in plain digits
faulty.csv:1500000:1: unknown port 'CNXXX' (did you mean CNXMN or CNTXG?)
faulty.csv:2700001:13: '2021-02-30' is not a date of the calendar written YYYY-MM-DD
faults by code:
  1  day_invalid
  1  port_unknown
  1  price_invalid
`,
      stderr: 'fairway: faulty.csv has 3 faults; nothing of it is published\n',
    });
    const asJson = await run(['submit', faulty, '--json'], env);
    expect(asJson.code).toBe(3);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      code: 'batch_rejected',
      error_total: 3,
      errors: { length: 3 },
    });
    expect(await uploadsOf(running)).toEqual([]);
    const whole = await run(['submit', faulty, '--whole'], env);
    expect(whole.stdout).toBe((await run(['submit', faulty], env)).stdout);
    const good = await run(['submit', large, '--whole', '--json'], env);
    const { id } = JSON.parse(good.stdout) as Listed;
    const counted = join(folder, 'counted.csv');
    writeFileSync(counted, Buffer.concat([readFileSync(large), Buffer.from('#items=2700000\n')]));
    const replacing = await run(['submit', counted, '--replace', id, '--items', '2700000', '--json'], env);
    expect(replacing).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(replacing.stdout)).toMatchObject({
      state: 'published',
      items,
      replaces: id,
      parts: true,
    });
    expect((await uploadsOf(running)).map(({ state }) => state)).toEqual([
      'rejected',
      'withdrawn',
      'published',
    ]);
    expect(await interrupt(running)).toBe(0);
  }));

test('Ctrl-C says what goes on; a file that changed since begins anew', () =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data });
    const gate = await gateBefore(Number(new URL(running.url).port), 45 << 20);
    try {
      const env = { FAIRWAY_URL: gate.url };
      const path = changed('changing.csv', {});
      const first = begin(['submit', path, '--streams', '1'], env);
      await gate.held();
      first.child.kill('SIGINT');
      expect(await first.outcome).toEqual({
        code: 130,
        stdout: '',
        stderr: `fairway: interrupted; the verdict is not known, 'fairway submit ${path}' goes on where it stopped\n`,
      });
      const [begun] = await uploadsOf(running);
      expect(begun).toMatchObject({ state: 'loading' });
      gate.open();
      changed('changing.csv', { 2: 'CNGGZ,EETLL,2021-05-01,4711' });
      const second = await run(['submit', path], env);
      expect(second).toMatchObject({
        code: 0,
        stderr: 'fairway: changing.csv has changed since the upload that was cut off; it begins anew\n',
      });
      const uploads = await uploadsOf(running);
      expect(uploads).toMatchObject([{ state: 'published', items }]);
      expect(uploads[0]?.id).not.toBe(begun?.id);
      expect(await interrupt(running)).toBe(0);
    } finally {
      gate.close();
    }
  }));

test('a number of streams that cannot be is wrong use', async () => {
  for (const streams of ['0', '17', 'x'])
    expect(await run(['submit', large, '--streams', streams])).toMatchObject({ code: 2, stdout: '' });
});
