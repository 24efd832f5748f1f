/** What a question costs, known before it runs: in go lanes, months and prices, out comes a charge, or the refusal. */
import type { ReadOptions } from '../database/database.js';
import { FairwayError } from '../errors.js';
import type { DayRange, Lanes } from './sql.js';

/** Options of a question: who asks pays for what is beyond the ordinary. */
export interface AskOptions extends ReadOptions {
  /** Called before costly work with the rows it will read. Throws where they are not to be had. */
  charge?: (rows: number) => void;
}

/** One lane over as many days as may be asked for is for free. */
const freeRows = 150;
/** Rows of rollups that one question may read: about a second's work, and some hundred megabytes while it lasts. */
export const mostRows = 500_000;
/** Prices that are read and sorted for what one row of a rollup costs. */
const pricesPerRow = 50;

/** Rows that lanes may have at the most: each pair of ports may be one, and how many are is known only once they are read. Throws `too_costly`. */
export function rowsOfLanes({ origins, destinations }: Lanes, { fromMonth, toMonth }: DayRange): number {
  const rows = origins.length * destinations.length * (toMonth - fromMonth + 1);
  if (rows > mostRows)
    throw new FairwayError(
      'too_costly',
      `this asks for up to ${origins.length * destinations.length} lanes over ${toMonth - fromMonth + 1} months at once; ask for fewer days or smaller regions`,
    );
  return rows;
}

/** Lanes that are read together. */
export function chargeRows(rows: number, { charge }: AskOptions): void {
  if (rows > freeRows) charge?.(rows);
}

export const chargePrices = (items: number, options: AskOptions): void =>
  chargeRows(Math.ceil(items / pricesPerRow), options);
