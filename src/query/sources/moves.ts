/**
 * What a batch would change: in go its counts and sums per lane and day, out come the largest moves of the average.
 * A day whose rate is not told now tells none here either.
 */
import type { ReadOptions } from '../../database/database.js';
import { fewestItems } from '../fewest-items.js';
import { ratesBetween, type RatesSource } from '../rates.js';
import { sourcesOf } from './sources.js';

/** A lane as a batch would touch it. */
export interface TouchedLane {
  origin: string;
  destination: string;
  /** By day since 1970-01-01. */
  days: ReadonlyMap<number, { count: number; sum: number }>;
}

export interface Move {
  origin: string;
  destination: string;
  day: number;
  before: number;
  after: number;
}

const mostMoves = 20;

/** The largest moves of all the lanes; `replaces`: a batch whose items would go. */
export async function largestMoves(
  source: RatesSource,
  lanes: readonly TouchedLane[],
  replaces: string | null,
  options: ReadOptions,
): Promise<Move[]> {
  let largest: Move[] = [];
  for (const lane of lanes) {
    const moves = await movesOf(source, lane, replaces, options);
    largest = [...largest, ...moves].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, mostMoves);
  }
  return largest;
}

/** Relative, so that a dear lane does not hide a cheap one. */
const sizeOf = ({ before, after }: Move): number => Math.abs(after - before) / before;

async function movesOf(
  source: RatesSource,
  { origin, destination, days }: TouchedLane,
  replaces: string | null,
  options: ReadOptions,
): Promise<Move[]> {
  const from = Math.min(...days.keys());
  const to = Math.max(...days.keys());
  const ends = { origin: { port: origin }, destination: { port: destination } };
  const { totals } = await ratesBetween(source, { ...ends, from, to }, options);
  const lanes = { origins: [origin], destinations: [destination] };
  const gone =
    replaces === null
      ? undefined
      : (await sourcesOf(source.database, lanes, { from, to }, replaces, null, options)).batches[0];
  const moves: Move[] = [];
  for (const [day, { count, sum }] of days) {
    const index = day - from;
    const [known, total] = [totals.counts[index] ?? 0, totals.sums[index] ?? 0];
    const after = known + count - (gone?.counts[index] ?? 0);
    if (known < fewestItems || after < fewestItems) continue;
    const move = {
      origin,
      destination,
      day,
      before: total / known,
      after: (total + sum - (gone?.sums[index] ?? 0)) / after,
    };
    if (move.after !== move.before) moves.push(move);
  }
  return moves;
}
