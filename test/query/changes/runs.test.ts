/** Attempts as runs: the same ones, no others, in as few as there can be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf, type Runs } from '../../../src/query/changes/runs.js';

const arrayOf = (attempts: Iterable<number>): string => `{${[...attempts].join(',')}}`;

function attemptsOf({ first, last, change }: Runs, wanted: number): number[] {
  return first.flatMap((from, run) =>
    change[run] === wanted
      ? Array.from({ length: (last[run] ?? 0) - from + 1 }, (_, index) => from + index)
      : [],
  );
}

test('runs hold the attempts that came and those that went, in whatever order they were published', () => {
  const attempts = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(attempts, attempts, (came, went) => {
      const runs = runsOf(arrayOf(came), arrayOf(went));
      const sorted = (list: number[]): number[] => list.toSorted((a, b) => a - b);
      if (!runs) return;
      expect(attemptsOf(runs, 1)).toEqual(sorted(came));
      expect(attemptsOf(runs, -1)).toEqual(sorted(went));
    }),
  );
});

test('a thousand in a row are one run; too many runs are none', () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => index + 7);
  expect(runsOf(arrayOf(thousand), '{}')).toEqual({ first: [7], last: [1_006], change: [1] });
  expect(runsOf('{}', '{}')).toEqual({ first: [], last: [], change: [] });
  expect(runsOf(arrayOf(thousand.map((attempt) => attempt * 2)), '{}')).toBeUndefined();
});
