/**
 * An attempt being loaded: takes places and items as they are read, and copies each full part into the database,
 * hidden. Memory stays flat: one part of items, plus the dictionary of lanes.
 */
import type { ClientBase } from 'pg';
import { loadSegments } from './load.js';
import { PartPacker, partCapacity } from './pack.js';
import type { PlaceLine, TableSink } from './parse/tables.js';
import { laneIds, recordPart } from './sql.js';
import type { Gathered, LaneLine } from './validate.js';

export class AttemptLoader implements TableSink, Gathered {
  readonly ports: PlaceLine[] = [];
  readonly regions: PlaceLine[] = [];
  readonly lanes: LaneLine[] = [];
  items = 0;
  readonly #client: ClientBase;
  readonly #attempt: string;
  readonly #packer = new PartPacker();
  readonly #laneIds: number[] = [];
  #part = 0;

  constructor(client: ClientBase, attempt: string) {
    this.#client = client;
    this.#attempt = attempt;
  }

  port(place: PlaceLine): void {
    this.ports.push(place);
  }

  region(place: PlaceLine): void {
    this.regions.push(place);
  }

  lane(origin: string, destination: string, line: number): void {
    this.lanes.push({ origin, destination, line });
  }

  item(lane: number, day: number, price: number): void {
    this.#packer.add(lane, day, price);
    this.items++;
  }

  /** To be awaited after each chunk: copies the part where it is full. */
  async flushWhenFull(): Promise<void> {
    if (this.#packer.size >= partCapacity) await this.#flush();
  }

  async finish(): Promise<void> {
    if (this.#packer.size > 0) await this.#flush();
  }

  async #flush(): Promise<void> {
    const fresh = this.lanes.slice(this.#laneIds.length);
    const ids = await laneIds(
      this.#client,
      fresh.map((lane) => lane.origin),
      fresh.map((lane) => lane.destination),
    );
    for (const id of ids) this.#laneIds.push(id);
    const owner = { attempt: this.#attempt, part: this.#part++ };
    const items = this.#packer.size;
    await loadSegments(this.#client, owner, this.#packer.drain(this.lanes.length), this.#laneIds);
    await recordPart(this.#client, owner.attempt, owner.part, items);
  }
}
