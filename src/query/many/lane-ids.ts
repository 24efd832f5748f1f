/**
 * Ids of lanes, as seen in the rollups of one revision: in go names and ids, out come the ids of names. They count for
 * that very revision alone, as kept answers do. A lane's id is older than its first rollup, so whatever database has the
 * revision has the id, while after a restore, which goes on at another revision, it may be another lane's.
 */

/** 6.5 MB. */
const mostLanes = 200_000;

export class LaneIds {
  #revision = -1;
  #lanes = 0;
  /** By origin, then by destination. */
  readonly #ids = new Map<string, Map<string, number>>();

  get(revision: number, origin: string, destination: string): number | undefined {
    return revision === this.#revision ? this.#ids.get(origin)?.get(destination) : undefined;
  }

  /** Of a revision before the one that is kept, nothing is learned. */
  learn(revision: number, origin: string, destination: string, id: number): void {
    if (revision < this.#revision) return;
    if (revision > this.#revision || this.#lanes >= mostLanes) {
      this.#ids.clear();
      this.#lanes = 0;
      this.#revision = revision;
    }
    let ofOrigin = this.#ids.get(origin);
    if (!ofOrigin) this.#ids.set(origin, (ofOrigin = new Map()));
    if (!ofOrigin.has(destination)) this.#lanes++;
    ofOrigin.set(destination, id);
  }
}
