/**
 * Reading the rollups of many lanes: in go lanes and months, out comes what is to be added up. Lanes that were seen before
 * at the same revision are asked for by their ids.
 */
import type { QueryConfig } from 'pg';
import type { Database, ReadOptions } from '../../database/database.js';
import type { LaneIds } from './lane-ids.js';
import { PackedMonths } from './packed-months.js';
import {
  monthsOfLanes,
  sameMonthsOfLanes,
  type KnownLanes,
  type LaneColumns,
  type RolledMonthsRow,
} from './sql.js';

export interface MonthsRead {
  /** The revision that the rollups stand for: of any other, the months are not to be used. */
  rolled: number;
  months: PackedMonths;
}

export async function readMonths(
  { database, laneIds }: { database: Database; laneIds: LaneIds },
  lanes: LaneColumns,
  revision: number,
  options: ReadOptions,
): Promise<MonthsRead> {
  const { statement, placeOfId, named } = plan(laneIds, lanes, revision);
  const [row] = await database.read<RolledMonthsRow>(statement, options);
  if (!row) throw new Error('there is no rollup state');
  const rolled = Number(row.rolled_revision);
  const placeOf = (lane: number, question: number): number => {
    if (question === 0) return placeOfId.get(lane) ?? -1;
    const place = named[question - 1] ?? -1;
    laneIds.learn(rolled, lanes.origins[place] ?? '', lanes.destinations[place] ?? '', lane);
    return place;
  };
  return { rolled, months: new PackedMonths(row.months, lanes.origins.length, placeOf) };
}

interface Plan {
  statement: QueryConfig;
  placeOfId: ReadonlyMap<number, number>;
  /** Places of those that are asked for by their names. */
  named: readonly number[];
}

function plan(laneIds: LaneIds, lanes: LaneColumns, revision: number): Plan {
  const { origins, destinations, fromMonths, toMonths } = lanes;
  const placeOfId = new Map<number, number>();
  const known: KnownLanes = { ids: [], fromMonths: [], toMonths: [] };
  const byName: LaneColumns = { origins: [], destinations: [], fromMonths: [], toMonths: [] };
  const named: number[] = [];
  for (let place = 0; place < origins.length; place++) {
    const [origin = '', destination = ''] = [origins[place], destinations[place]];
    const [from = 0, to = 0] = [fromMonths[place], toMonths[place]];
    const id = laneIds.get(revision, origin, destination);
    // The same lane again is another question: it is asked for by its name.
    if (id !== undefined && !placeOfId.has(id)) {
      placeOfId.set(id, place);
      known.ids.push(id);
      known.fromMonths.push(from);
      known.toMonths.push(to);
    } else {
      named.push(place);
      byName.origins.push(origin);
      byName.destinations.push(destination);
      byName.fromMonths.push(from);
      byName.toMonths.push(to);
    }
  }
  const [first = 0, last = 0] = [fromMonths[0], toMonths[0]];
  const same = fromMonths.every((month) => month === first) && toMonths.every((month) => month === last);
  const statement = same ? sameMonthsOfLanes(known, byName, first, last) : monthsOfLanes(known, byName);
  return { statement, placeOfId, named };
}
