/**
 * Changing one place: in goes a port or region as it shall be, out comes the revision since when it is so. Checked and
 * published in one transaction while the head row is locked, so that two changes at once cannot make a cycle.
 */
import type { Database, ReadOptions } from '../database/database.js';
import { FairwayError, type ParameterFault } from '../errors.js';
import type { Emit } from '../events.js';
import { publishPlace } from './publish.js';
import { lockHead, placeNow, regionsUpwards, type PlaceRow } from './sql.js';

export type { PlaceRow } from './sql.js';

export interface PlaceChange {
  outcome: 'created' | 'changed' | 'unchanged';
  /** The newest revision: the one that the change made, if it made one. */
  revision: number;
}

const codePatterns = {
  port: { pattern: /^[A-Z0-9]{2,20}$/, expected: '2 to 20 capital letters and digits, such as CNGGZ' },
  region: {
    pattern: /^[a-z0-9][a-z0-9_-]{0,63}$/,
    expected: '1 to 64 small letters, digits, _ and -, such as north_sea',
  },
};
const longestName = 200;

/** Throws `place_invalid` with every fault; nothing has changed then. The same once more changes nothing. */
export async function putPlace(
  database: Database,
  place: PlaceRow,
  emit: Emit,
  options: ReadOptions = {},
): Promise<PlaceChange> {
  const faults = faultsOfText(place);
  if (faults.length > 0) throw invalid(faults);
  const change = await database.transaction(async (client): Promise<PlaceChange> => {
    const { revision } = await lockHead(client);
    const before = await placeNow(client, place.kind, place.code);
    if (before?.name === place.name && before.parent === place.parent)
      return { outcome: 'unchanged', revision: Number(revision) };
    const upwards = place.parent === null ? [] : await regionsUpwards(client, place.parent);
    const wrong = faultsOfParent(place, upwards);
    if (wrong.length > 0) throw invalid(wrong);
    const made = await publishPlace(client, place);
    return { outcome: before ? 'changed' : 'created', revision: Number(made) };
  }, options);
  if (change.outcome !== 'unchanged')
    emit({ kind: 'place-changed', place: `${place.kind} ${place.code}`, revision: change.revision });
  return change;
}

const invalid = (faults: ParameterFault[]): FairwayError =>
  new FairwayError(
    'place_invalid',
    faults.map(({ parameter, message }) => `${parameter}: ${message}`).join('; '),
    { faults },
  );

function faultsOfText({ kind, code, name, parent }: PlaceRow): ParameterFault[] {
  const faults: ParameterFault[] = [];
  const { pattern, expected } = codePatterns[kind];
  const parameter = kind === 'port' ? 'code' : 'slug';
  if (!pattern.test(code)) faults.push({ parameter, message: `'${code}' does not fit`, expected });
  if (name.trim() !== name || name === '' || name.length > longestName || /\p{Control}/u.test(name)) {
    faults.push({
      parameter: 'name',
      message: 'is empty, too long, or holds blanks around it or control characters',
      expected: `1 to ${longestName} characters, such as Guangzhou`,
    });
  }
  if (kind === 'port' && parent === null) {
    faults.push({
      parameter: 'parent',
      message: 'a port cannot lie outside all regions',
      expected: "a region's slug; /regions lists them",
    });
  }
  return faults;
}

/** `upwards`: the parent and what it lies in, up to the top. */
function faultsOfParent({ kind, code, parent }: PlaceRow, upwards: readonly string[]): ParameterFault[] {
  if (parent === null) return [];
  const expected = 'the slug of a region that is there already; /regions lists them';
  if (upwards.length === 0)
    return [{ parameter: 'parent', message: `there is no region '${parent}'`, expected, value: parent }];
  const at = kind === 'region' ? upwards.indexOf(code) : -1;
  if (at < 0) return [];
  const path = [code, ...upwards.slice(0, at + 1)].join(' → ');
  return [
    {
      parameter: 'parent',
      message: `${path} is a cycle; a region cannot lie within itself`,
      expected: 'a region that does not lie below this one',
      value: parent,
    },
  ];
}
