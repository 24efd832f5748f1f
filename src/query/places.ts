/**
 * The tree of places at one revision, in memory: in go the rows of all places, out come the ports below a region, near
 * matches of a name nobody knows, and searches. Pure.
 */
import { fold, foldedOf, nearest, type Folded } from '../near.js';

export interface Port {
  code: string;
  name: string;
  /** Slug of the region it lies in. */
  parent: string;
}

export interface Region {
  slug: string;
  name: string;
  /** Slug of the region it lies in; null at the top. */
  parent: string | null;
}

export interface PlaceName {
  kind: 'port' | 'region';
  /** A port's code or a region's slug. */
  code: string;
  name: string;
}

export interface RegionTree extends Omit<Region, 'parent'> {
  regions: RegionTree[];
  ports: Omit<Port, 'parent'>[];
}

export interface PlaceRow extends PlaceName {
  parent: string | null;
}

export class Places {
  readonly ports = new Map<string, Port>();
  readonly regions = new Map<string, Region>();
  readonly #portsIn = new Map<string, Port[]>();
  readonly #regionsIn = new Map<string | null, Region[]>();
  readonly #codesBelow = new Map<string, readonly string[]>();
  readonly #searched = new Map<PlaceName, Folded>();

  /** `revision` is the newest one that changed places. */
  constructor(
    readonly revision: number,
    rows: readonly PlaceRow[],
  ) {
    for (const { kind, code, name, parent } of [...rows].sort(byCode)) {
      if (kind === 'port') {
        const port = { code, name, parent: parent ?? '' };
        this.ports.set(code, port);
        append(this.#portsIn, port.parent, port);
      } else {
        const region = { slug: code, name, parent };
        this.regions.set(code, region);
        append(this.#regionsIn, parent, region);
      }
      this.#searched.set({ kind, code, name }, foldedOf(code, name));
    }
  }

  /** Codes of the ports a name means: a port itself, or every port below a region at any depth. Undefined for a name nobody knows; a port goes before a region. */
  portsOf(name: string): readonly string[] | undefined {
    if (this.ports.has(name)) return [name];
    return this.regions.has(name) ? this.codesBelow(name) : undefined;
  }

  /** Codes of every port below a region, at any depth. */
  codesBelow(slug: string): readonly string[] {
    let codes = this.#codesBelow.get(slug);
    if (!codes) {
      const below = (this.#regionsIn.get(slug) ?? []).flatMap((region) => this.codesBelow(region.slug));
      codes = [...(this.#portsIn.get(slug) ?? []).map((port) => port.code), ...below];
      this.#codesBelow.set(slug, codes);
    }
    return codes;
  }

  /** Codes of all ports, so that those of each region, at any depth, come together. */
  codes(): string[] {
    return (this.#regionsIn.get(null) ?? []).flatMap(({ slug }) => this.codesBelow(slug));
  }

  /** Everything below the regions without a parent, nested. */
  tree(parent: string | null = null): RegionTree[] {
    return (this.#regionsIn.get(parent) ?? []).map(({ slug, name }) => ({
      slug,
      name,
      regions: this.tree(slug),
      ports: (this.#portsIn.get(slug) ?? []).map((port) => ({ code: port.code, name: port.name })),
    }));
  }

  /** Codes of the places of a kind whose code, or any word of whose name, begins with the text; accents and case do not matter. By code. */
  search(kind: PlaceName['kind'], text: string): string[] {
    const wanted = fold(text);
    const found: string[] = [];
    for (const [place, folded] of this.#searched) {
      if (place.kind === kind && (folded.code.startsWith(wanted) || folded.name.includes(` ${wanted}`)))
        found.push(place.code);
    }
    return found;
  }

  /** The places whose code or name is most like the text, the likest first; none where nothing is like it. */
  near(text: string, kinds: readonly PlaceName['kind'][] = ['port', 'region']): PlaceName[] {
    return nearest(text, this.#searched, (place) => kinds.includes(place.kind));
  }
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

const byCode = (a: PlaceRow, b: PlaceRow): number => (a.code < b.code ? -1 : 1);
