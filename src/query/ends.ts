/** The ends of a question: in go names and the tree of places, out come the lanes that are meant, or what is wrong with the names. Pure. */
import { FairwayError, type ParameterFault } from '../errors.js';
import type { Places } from './places.js';
import { isKept, keyOfRegion } from './rollup/regions/pairs.js';
import type { Lanes, PairOfPlaces } from './sql.js';

/** One end of a lane: a port that need not exist, or the name of a place that must: a port's code or a region's slug. */
export type End = { port: string } | { place: string; parameter: string };

export interface Ends {
  origin: End;
  destination: End;
}

export interface MeantLanes extends Lanes {
  pair?: PairOfPlaces;
}

const portsOf = (places: Places, end: End): readonly string[] | undefined =>
  'port' in end ? [end.port] : places.portsOf(end.place);

const isRegion = (places: Places, end: End): end is Extract<End, { place: string }> =>
  'place' in end && !places.ports.has(end.place);

/** The one lane that is meant, where there is but one; from a port to itself there is none. */
export function singleLane({
  origins,
  destinations,
}: Lanes): { origin: string; destination: string } | undefined {
  const [origin, destination] = [origins[0], destinations[0]];
  if (origins.length !== 1 || destinations.length !== 1 || origin === destination) return undefined;
  return origin === undefined || destination === undefined ? undefined : { origin, destination };
}

/** The lanes meant, and the pair of places whose own rollups have them all, where such are kept. */
export function lanesOf(places: Places, { origin, destination }: Ends): MeantLanes {
  const origins = portsOf(places, origin) ?? [];
  const destinations = portsOf(places, destination) ?? [];
  if (
    !isRegion(places, origin) ||
    !isRegion(places, destination) ||
    !isKept(origins.length, destinations.length)
  )
    return { origins, destinations };
  const pair = {
    origin: keyOfRegion(origin.place),
    destination: keyOfRegion(destination.place),
    places: places.revision,
  };
  return { origins, destinations, pair };
}

/** To be added to what is said of a place that is not there: at which revision, where one was asked for. */
export const revisionText = (asOf: number | undefined): string =>
  asOf === undefined ? '' : ` at revision ${asOf}`;

/** `asOf`: the revision that was asked for, where one was, whose places they are. */
export const unknownEnds = (places: Places, { origin, destination }: Ends, asOf?: number): ParameterFault[] =>
  [origin, destination].flatMap((end) => {
    if ('port' in end || places.portsOf(end.place) !== undefined) return [];
    return [
      {
        parameter: end.parameter,
        message: `there is no port or region '${end.place}'${revisionText(asOf)}`,
        expected: 'the code of a port or the slug of a region; /ports and /regions list them',
        value: end.place,
        suggestions: places.near(end.place),
      },
    ];
  });

/** `revision`: the one that they were looked for at. */
export function unknown(faults: ParameterFault[], revision: number): FairwayError {
  const sentences = faults.map(({ message, suggestions = [] }) => {
    const names = suggestions.map(({ code, name }) => `${code} (${name})`).join(', ');
    return names === '' ? message : `${message}; did you mean ${names}?`;
  });
  return new FairwayError('place_unknown', sentences.join('; '), { faults, revision });
}
