/**
 * Totals between places: in go the lanes that are meant, out come rows to be added up. Regions of many lanes have rollups
 * of their own, which are read where they stand for the tree of places that is asked about; else the lanes are.
 */
import type { Database } from '../database/database.js';
import { firstItemDay, lastItemDay } from '../days.js';
import { rollupMonth } from '../rollup.js';
import { chargeRows, rowsOfLanes, type AskOptions } from './cost.js';
import { singleLane, type MeantLanes } from './ends.js';
import { revisionsOf, type LaneReader, type Totals } from './lane-reader.js';
import { totalsBetween, totalsOfPair, type DayRange, type Moment, type TotalsRow } from './sql.js';

/** Items end in 2058, and PostgreSQL's dates need not cope with the days of the year 9999. */
export function daysOf(question: { from: number; to: number }): DayRange {
  const from = Math.min(Math.max(question.from, firstItemDay), lastItemDay);
  const to = Math.max(from, Math.min(question.to, lastItemDay));
  return { from, to, fromMonth: rollupMonth(from), toMonth: rollupMonth(to) };
}

/** `asOf`: of that revision, which whoever asks compares with those of the answer. Throws `too_costly`. */
export async function readBetween(
  { lanes, database }: { lanes: LaneReader; database: Database },
  meant: MeantLanes,
  days: DayRange,
  options: AskOptions,
  asOf?: number,
): Promise<Totals> {
  const { pair } = meant;
  const single = singleLane(meant);
  if (single) return lanes.read({ ...single, ...days }, options, asOf);
  if (pair) {
    const rows = await readAt(asOf, (at) =>
      database.read<TotalsRow>(totalsOfPair(pair, meant, days, at), options),
    );
    if (rows[0]?.rolled_revision) return { ...revisionsOf(rows[0]), rows };
  }
  chargeRows(rowsOfLanes(meant, days), options);
  const rows = await readAt(asOf, (at) => database.read<TotalsRow>(totalsBetween(meant, days, at), options));
  return { ...revisionsOf(rows[0]), rows };
}

/** Where nothing came since the rollups, which is nearly always, they are the whole answer. */
async function readAt(
  asOf: number | undefined,
  ask: (at: Moment) => Promise<TotalsRow[]>,
): Promise<TotalsRow[]> {
  if (asOf !== undefined) return ask(asOf);
  const rows = await ask('rolled');
  const [first] = rows;
  return !first?.rolled_revision || first.revision === first.rolled_revision ? rows : ask('now');
}
