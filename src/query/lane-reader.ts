/**
 * Reading lanes, many in one statement: questions that arrive while others are being answered wait for the next
 * statement and share it. With nobody else about, a question is a statement of its own and waits for nothing. Under
 * load a statement is shared by several, and costs each of them less (bench/read).
 */
import type { Database, ReadOptions } from '../database/database.js';
import { totalsOfLanes, type LaneDays, type TotalsRow } from './sql.js';

/** Statements under way at a time. Fewer share more but wait for each other: at 8 connections 2, 3, 4 and 6 gave 1.11, 1.11, 1.18 and 1.15 of bench peer (b). */
const statementsAtOnce = 4;
const questionsPerStatement = 64;

export interface Revisions {
  revision: number;
  places: number;
  /** The revision that rollups stand for. */
  rolled: number;
  /** The oldest revision that can be asked about; 0 where the question was of now. */
  oldest: number;
}

export interface Totals extends Revisions {
  rows: readonly TotalsRow[];
}

interface Waiting {
  question: LaneDays;
  /** The revision whose totals are meant; undefined for the newest. */
  asOf: number | undefined;
  deadline: number | undefined;
  resolve: (totals: Totals) => void;
  reject: (error: unknown) => void;
}

export const revisionsOf = (row: TotalsRow | undefined): Revisions => ({
  revision: Number(row?.revision ?? 0),
  places: Number(row?.places_revision ?? 0),
  rolled: Number(row?.rolled_revision ?? 0),
  oldest: Number(row?.oldest_revision ?? 0),
});

export class LaneReader {
  readonly #database: Database;
  /** Whether the rollups were behind when last seen: then what came since is asked for at once. */
  #behind = false;
  #waiting: Waiting[] = [];
  #running = 0;
  #scheduled = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `asOf`: of that revision, which whoever asks compares with those of the answer. */
  read(question: LaneDays, { deadline }: ReadOptions, asOf?: number): Promise<Totals> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, asOf, deadline, resolve, reject });
      this.#schedule();
    });
  }

  /** After whatever has arrived with this question has been read as well. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= statementsAtOnce) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < statementsAtOnce) void this.#run();
    });
  }

  /** Those at the head of the queue that are about the same revision. */
  #next(): Waiting[] {
    const asOf = this.#waiting[0]?.asOf;
    let same = 1;
    while (same < questionsPerStatement && this.#waiting[same]?.asOf === asOf && same < this.#waiting.length)
      same++;
    return this.#waiting.splice(0, same);
  }

  async #run(): Promise<void> {
    const batch = this.#next();
    this.#running++;
    try {
      const rows = await this.#readBatch(batch);
      const revisions = revisionsOf(rows[0]);
      const perQuestion = batch.map((): TotalsRow[] => []);
      for (const row of rows) perQuestion[row.question - 1]?.push(row);
      batch.forEach(({ resolve }, index) => resolve({ ...revisions, rows: perQuestion[index] ?? [] }));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  async #readBatch(batch: readonly Waiting[]): Promise<TotalsRow[]> {
    const questions = batch.map(({ question }) => question);
    const deadlines = batch.flatMap(({ deadline }) => deadline ?? []);
    const options = deadlines.length > 0 ? { deadline: Math.min(...deadlines) } : {};
    const asOf = batch[0]?.asOf;
    if (asOf !== undefined) return this.#database.read<TotalsRow>(totalsOfLanes(questions, asOf), options);
    // Where nothing came since the rollups, which is nearly always, they are the whole answer.
    if (!this.#behind) {
      const rows = await this.#database.read<TotalsRow>(totalsOfLanes(questions, 'rolled'), options);
      if (rows[0]?.revision === rows[0]?.rolled_revision) return rows;
    }
    const rows = await this.#database.read<TotalsRow>(totalsOfLanes(questions, 'now'), options);
    this.#behind = rows[0]?.revision !== rows[0]?.rolled_revision;
    return rows;
  }
}
