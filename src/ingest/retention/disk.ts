/**
 * Room on the database's disk: in goes where to look, out comes the refusal of loads while there is too little, before
 * PostgreSQL itself has to stop. What is not known refuses nobody.
 */
import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Database } from '../../database/database.js';
import { FairwayError, messageOf } from '../../errors.js';
import type { Emit } from '../../events.js';
import { databaseBytes } from './sql.js';

/** In bytes. */
export interface Room {
  free: number;
  total: number;
}

/** Undefined where it is not known. */
export type MeasureRoom = () => Promise<Room | undefined>;

export interface DiskOptions {
  measure: MeasureRoom;
  /** What must stay free; 0 refuses no load. */
  reserveBytes: number;
  emit: Emit;
}

/** What was measured counts for so long. */
const keptMilliseconds = 1_000;
const retrySeconds = 60;

export class Disk {
  readonly reserveBytes: number;
  readonly #measure: MeasureRoom;
  readonly #emit: Emit;
  #room: Promise<Room | undefined> = Promise.resolve(undefined);
  #measuredAt = -Infinity;
  #full = false;

  constructor({ measure, reserveBytes, emit }: DiskOptions) {
    this.reserveBytes = reserveBytes;
    this.#measure = measure;
    this.#emit = emit;
  }

  /** At most a second old; undefined where it is not known. */
  room(): Promise<Room | undefined> {
    const now = performance.now();
    if (now - this.#measuredAt >= keptMilliseconds) {
      this.#measuredAt = now;
      this.#room = this.#measure().catch(() => undefined);
    }
    return this.#room;
  }

  /** Throws `disk_nearly_full` where no more may be loaded. */
  async check(): Promise<void> {
    if (this.reserveBytes === 0) return;
    const room = await this.room();
    if (room === undefined) return;
    const full = room.free < this.reserveBytes;
    if (full !== this.#full) {
      this.#full = full;
      const kind = full ? 'disk-nearly-full' : 'disk-has-room';
      this.#emit({ kind, freeBytes: room.free, reserveBytes: this.reserveBytes });
    }
    if (full) throw nearlyFull(room, this.reserveBytes);
  }
}

const megabytes = (bytes: number): string => `${Math.max(0, Math.floor(bytes / 2 ** 20))} MB`;

const nearlyFull = ({ free }: Room, reserve: number): FairwayError =>
  new FairwayError(
    'disk_nearly_full',
    `the database has ${megabytes(free)} left of its disk, and ${megabytes(reserve)} must stay free; nothing of this batch is kept, send it again once whoever runs the service made room`,
    { retryAfter: retrySeconds, details: { free_bytes: free, reserve_bytes: reserve } },
  );

/** Room on the disk of a folder. */
export const roomOnDiskOf =
  (folder: string): MeasureRoom =>
  async () => {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  };

/** Room below what the database may take up, its log included. */
export const roomBelow =
  (database: Database, bytes: number): MeasureRoom =>
  async () => {
    const [row] = await database.read<{ bytes: string }>(databaseBytes);
    return row && { free: bytes - Number(row.bytes), total: bytes };
  };

/** The least of what is measured. */
export const leastRoom =
  (measures: readonly MeasureRoom[]): MeasureRoom =>
  async () => {
    const rooms = await Promise.all(measures.map((measure) => measure().catch(() => undefined)));
    return rooms
      .filter((room) => room !== undefined)
      .reduce<Room | undefined>(
        (least, room) => (least && least.free <= room.free ? least : room),
        undefined,
      );
  };

/** Throws `configuration_invalid` for a folder that cannot be asked, under the name of its setting. */
export function checkFolder(setting: string, folder: string): void {
  try {
    statfsSync(folder);
  } catch (error) {
    throw new FairwayError(
      'configuration_invalid',
      `${setting}: ${folder} cannot be looked at (${messageOf(error)})`,
    );
  }
}
