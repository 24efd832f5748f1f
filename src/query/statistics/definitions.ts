/**
 * Statistics of a day's prices: in go prices, sorted, out comes a number. Percentiles are linear between the closest
 * ranks: rank (n - 1) * p, from 0. Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), type 7;
 * the same as PostgreSQL's percentile_cont and the default of NumPy and Excel.
 */

/** As `stats=` takes them. */
export const statisticNames = ['avg', 'min', 'max', 'median', 'p2.5', 'p25', 'p75', 'p97.5'] as const;
export type Statistic = (typeof statisticNames)[number];

export const isStatistic = (name: string): name is Statistic =>
  (statisticNames as readonly string[]).includes(name);

/** `sorted` has at least one price; `sum` is that of all of them. */
const definitions: Record<Statistic, (sorted: Int32Array, sum: number) => number> = {
  avg: (sorted, sum) => sum / sorted.length,
  min: (sorted) => sorted[0] ?? 0,
  max: (sorted) => sorted[sorted.length - 1] ?? 0,
  median: (sorted) => percentile(sorted, 0.5),
  'p2.5': (sorted) => percentile(sorted, 0.025),
  p25: (sorted) => percentile(sorted, 0.25),
  p75: (sorted) => percentile(sorted, 0.75),
  'p97.5': (sorted) => percentile(sorted, 0.975),
};

export const valueOf = (statistic: Statistic, sorted: Int32Array, sum: number): number =>
  definitions[statistic](sorted, sum);

/** `share` from 0 to 1. */
export function percentile(sorted: Int32Array, share: number): number {
  const rank = (sorted.length - 1) * share;
  const below = Math.floor(rank);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (rank - below);
}
