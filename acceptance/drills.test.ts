/** The drills, short: each promise holds, and enough happened for that to mean something. */
import { expect, test } from 'vitest';
import { join } from 'node:path';
import { root, run } from './support.js';

interface Result {
  held: boolean;
  findings: unknown[];
  counts: Record<string, number>;
  checked: Record<string, number>;
  skipped: string[];
  postgres: string;
}

/** On the PostgreSQL that is bundled, or on another version. */
async function drill(words: string[], version?: string): Promise<Result> {
  const file = join(root, 'drills', 'run.mjs');
  const env = version === undefined ? {} : { FAIRWAY_TEST_POSTGRES: version };
  const { code, stdout, stderr } = await run([file, ...words, '--json'], env, undefined, process.execPath);
  expect(stderr).toBe('');
  const result = JSON.parse(stdout) as Result;
  expect(result.findings).toEqual([]);
  expect(code).toBe(0);
  expect(result.skipped).toEqual([]);
  return result;
}

const load = ['--writers', '8', '--readers', '4', '--large', '40'];
/** What readers did, each of them. */
const asked = ['past', 'again', 'csv', 'statistics', 'many', 'sources', 'changes', 'revisions'];
const happened = ['published', 'replaced', 'withdrawn', 'rejected', 'repeated', 'cut', 'filled', 'steady'];

const none = (counts: Record<string, number>, names: string[]): string[] =>
  names.filter((name) => !((counts[name] ?? 0) > 0));

test('torn-batch: no answer shows part of a batch, none goes backwards, and the tables hold what was acknowledged', async () => {
  const { counts, checked } = await drill(['torn-batch', '--seconds', '10', ...load]);
  expect(none(counts, [...happened, ...asked, 'large'])).toEqual([]);
  expect(none(checked, ['acknowledged', 'absent', 'itemsCompared', 'rollups', 'revisionsCompared'])).toEqual(
    [],
  );
  expect(checked['answersCompared']).toBe(counts['answers']);
}, 180_000);

test('kill-service: killed again and again, each batch has happened once or not at all', async () => {
  const { counts, checked } = await drill(['kill-service', '--seconds', '10', ...load]);
  expect(none(counts, ['published', 'filled', 'kills'])).toEqual([]);
  // After a kill most writers wait for their leases, so each of these may be missing.
  expect(['replaced', 'withdrawn', 'rejected'].some((name) => (counts[name] ?? 0) > 0)).toBe(true);
  expect(none(checked, ['acknowledged', 'itemsCompared', 'rollups'])).toEqual([]);
  expect(checked['answersCompared']).toBe(counts['answers']);
}, 180_000);

test.for([
  { name: 'torn-batch', names: ['replaced', 'withdrawn', ...asked] },
  { name: 'kill-service', names: ['kills', 'past', 'again', 'many', 'changes'] },
])(
  '$name with readers on a standby that lags: the same, and whoever sends min_revision never goes back',
  async ({ name, names }) => {
    const { counts, checked } = await drill([name, '--standby', '--seconds', '10', ...load]);
    expect(none(counts, ['published', 'filled', 'lags', ...names])).toEqual([]);
    expect(none(checked, ['acknowledged', 'itemsCompared', 'rollups', 'revisionsCompared'])).toEqual([]);
    expect(checked['answersCompared']).toBe(counts['answers']);
  },
);

test('stalled-loader: a process that hangs until it is overtaken changes nothing when it wakes', async () => {
  const { counts, checked } = await drill(['stalled-loader']);
  expect(counts).toEqual({ scenes: 2, stalls: 2, published: 2 });
  expect(checked).toMatchObject({ acknowledged: 2, itemsCompared: 3_216_000 });
}, 180_000);

test('on PostgreSQL 13, killed again and again, each batch has happened once or not at all', async () => {
  const { counts, checked, postgres } = await drill(['kill-service', '--seconds', '8', ...load], '13');
  expect(postgres).toMatch(/^13\./);
  expect(none(counts, ['published', 'replaced', 'kills'])).toEqual([]);
  expect(none(checked, ['acknowledged', 'itemsCompared', 'rollups'])).toEqual([]);
}, 180_000);

test.for([['no-such-drill'], ['torn-batch', '--seconds', 'x'], ['torn-batch', '--nothing'], ['prove', 'x']])(
  'wrong use: %s',
  async (words) => {
    const file = join(root, 'drills', 'run.mjs');
    expect(await run([file, ...words], {}, undefined, process.execPath)).toMatchObject({
      code: 2,
      stdout: '',
    });
  },
);
