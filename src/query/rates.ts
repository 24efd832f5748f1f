/** Rates of a lane: in go two ports and a range of days, out come a rate per day and the revision they hold at. */
import type { Database } from '../database/database.js';
import { firstItemDay, formatDay, lastItemDay } from '../days.js';
import { unpackItems } from '../segment.js';
import { segmentsOfLane, type SegmentRow } from './sql.js';

/** Fewer items than this behind a day: its price stays null. The original service's rule; it also keeps one supplier's price from another. */
export const fewestItems = 3;

export interface LaneQuestion {
  origin: string;
  destination: string;
  /** Days since 1970-01-01, both included. */
  from: number;
  to: number;
}

export interface Rate {
  /** Items of the day; null for none, as the original service has it. */
  count: number | null;
  /** YYYY-MM-DD. */
  day: string;
  /** Sum of the prices over their count, in double precision; null below `fewestItems`. */
  price: number | null;
}

export interface LaneRates {
  revision: number;
  /** Days descending; empty where `from` is after `to`. */
  rates: Rate[];
}

export async function laneRates(database: Database, question: LaneQuestion): Promise<LaneRates> {
  // Items end in 2058, and PostgreSQL's dates need not cope with the days of the year 9999.
  const from = Math.max(question.from, firstItemDay);
  const to = Math.min(question.to, lastItemDay);
  const rows = await database.read<SegmentRow>(
    segmentsOfLane(question.origin, question.destination, from, Math.max(to, from)),
  );
  const length = Math.max(0, question.to - question.from + 1);
  const counts = new Float64Array(length);
  const sums = new Float64Array(length);
  for (const { first_day: firstDay, format, payload } of rows) {
    if (firstDay === null || format === null || payload === null) continue;
    const shift = firstDay - question.from;
    unpackItems(format, payload, (dayOffset, price) => {
      const index = shift + dayOffset;
      if (index < 0 || index >= length) return;
      counts[index] = (counts[index] ?? 0) + 1;
      sums[index] = (sums[index] ?? 0) + price;
    });
  }
  return { revision: Number(rows[0]?.revision ?? 0), rates: perDay(question.from, counts, sums) };
}

function perDay(from: number, counts: Float64Array, sums: Float64Array): Rate[] {
  const rates: Rate[] = [];
  for (let index = counts.length - 1; index >= 0; index--) {
    const count = counts[index] ?? 0;
    rates.push({
      count: count === 0 ? null : count,
      day: formatDay(from + index),
      price: count < fewestItems ? null : (sums[index] ?? 0) / count,
    });
  }
  return rates;
}
