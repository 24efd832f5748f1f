/** Checks that need all rows: in go the places and lanes that were read, out comes nothing or the first fault. Pure. */
import { FairwayError } from '../errors.js';
import type { PlaceLine } from './parse/tables.js';

export interface LaneLine {
  origin: string;
  destination: string;
  line: number;
}

export interface Gathered {
  ports: readonly PlaceLine[];
  regions: readonly PlaceLine[];
  lanes: readonly LaneLine[];
}

/** Throws `dump_invalid` where a lane has an unknown port, a place an unknown parent, or regions form a cycle. */
export function checkReferences({ ports, regions, lanes }: Gathered): void {
  const portCodes = new Set(ports.map((port) => port.code));
  const regionSlugs = new Set(regions.map((region) => region.code));
  for (const { origin, destination, line } of lanes) {
    for (const [column, code] of [
      ['orig_code', origin],
      ['dest_code', destination],
    ] as const) {
      if (!portCodes.has(code)) throw refuse(line, `prices: ${column} '${code}' is not among the ports`);
    }
  }
  for (const port of ports) {
    if (port.parent !== null && !regionSlugs.has(port.parent)) {
      throw refuse(
        port.line,
        `ports: parent_slug '${port.parent}' of '${port.code}' is not among the regions`,
      );
    }
  }
  for (const region of regions) {
    if (region.parent !== null && !regionSlugs.has(region.parent)) {
      throw refuse(
        region.line,
        `regions: parent_slug '${region.parent}' of '${region.code}' is not among the regions`,
      );
    }
  }
  checkTree(regions);
}

/** Follows each region upwards; whoever meets their own path again has found a cycle. */
function checkTree(regions: readonly PlaceLine[]): void {
  const bySlug = new Map(regions.map((region) => [region.code, region]));
  const sound = new Set<string>();
  for (const start of regions) {
    const path: string[] = [];
    for (let region: PlaceLine | undefined = start; region && !sound.has(region.code);) {
      if (path.includes(region.code)) {
        const cycle = [...path.slice(path.indexOf(region.code)), region.code];
        throw refuse(
          region.line,
          `regions: ${cycle.join(' → ')} is a cycle; a region cannot lie within itself`,
        );
      }
      path.push(region.code);
      region = region.parent === null ? undefined : bySlug.get(region.parent);
    }
    for (const slug of path) sound.add(slug);
  }
}

const refuse = (line: number, message: string): FairwayError =>
  new FairwayError('dump_invalid', `line ${line}: ${message}`, { line });
