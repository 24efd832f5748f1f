/** Attempts that came and went between two revisions, short enough to be sent along with a question. Pure. */

/** Runs of attempts whose numbers follow each other, parallel: the first and last one, 1 for what came, -1 for what went. */
export interface Runs {
  first: readonly number[];
  last: readonly number[];
  change: readonly number[];
}

/** With more, each looked up for each question, PostgreSQL's own list costs less. */
const mostRuns = 32;

/** From arrays as PostgreSQL writes them. Undefined where there are too many runs. */
export function runsOf(came: string, went: string): Runs | undefined {
  const runs: { first: number; last: number; change: number }[] = [];
  for (const [attempts, change] of [
    [came, 1],
    [went, -1],
  ] as const) {
    for (const attempt of sorted(attempts)) {
      const run = runs.at(-1);
      if (run?.change === change && run.last === attempt - 1) run.last = attempt;
      else runs.push({ first: attempt, last: attempt, change });
      if (runs.length > mostRuns) return undefined;
    }
  }
  return {
    first: runs.map(({ first }) => first),
    last: runs.map(({ last }) => last),
    change: runs.map(({ change }) => change),
  };
}

const sorted = (array: string): number[] =>
  array === '{}'
    ? []
    : array
        .slice(1, -1)
        .split(',')
        .map(Number)
        .sort((a, b) => a - b);
