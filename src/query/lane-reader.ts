/**
 * Reading lanes, many in one statement: questions that arrive while others are being answered wait for the next
 * statement and share it. With nobody else about, a question is a statement of its own and waits for nothing. Under
 * load a statement is shared by several, and costs each of them less (bench/read).
 */
import type { Database, ReadOptions } from '../database/database.js';
import {
  rolledLanes,
  totalsOfLanes,
  type LaneDays,
  type Moment,
  type RolledRow,
  type SummedRow,
  type TotalsRow,
} from './sql.js';

/** Statements under way at a time. */
const statementsAtOnce = 4;
const questionsPerStatement = 64;
/** Beside each statement under way, so many must have come for another to be worth its cost (docs/decisions/0003-rollups.md). */
const questionsBesideStatement = 4;
/** A statement that takes longer, such as one that reads from disk, is waited for no longer by fewer. */
const longestWaitMilliseconds = 1;

export interface Revisions {
  revision: number;
  places: number;
  /** The revision that rollups stand for. */
  rolled: number;
  /** The oldest revision that can be asked about; 0 where the question was of now. */
  oldest: number;
}

export interface Totals extends Revisions {
  rows: readonly SummedRow[];
}

interface Waiting {
  question: LaneDays;
  /** The revision whose totals are meant; undefined for the newest. */
  asOf: number | undefined;
  deadline: number | undefined;
  resolve: (totals: Totals) => void;
  reject: (error: unknown) => void;
}

type RevisionsRow = Partial<
  Pick<TotalsRow, 'revision' | 'places_revision' | 'rolled_revision' | 'oldest_revision'>
>;

export const revisionsOf = (row: RevisionsRow | undefined): Revisions => ({
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
  #timed = false;

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
    if (this.#scheduled) return;
    if (!this.#isWorthIt()) {
      this.#waitForOthers();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#isWorthIt()) void this.#run();
    });
  }

  #isWorthIt(): boolean {
    return (
      this.#running < statementsAtOnce && this.#waiting.length >= this.#running * questionsBesideStatement
    );
  }

  /** For the statements under way, or for more questions; not for long. */
  #waitForOthers(): void {
    if (this.#timed) return;
    this.#timed = true;
    setTimeout(() => {
      this.#timed = false;
      if (this.#waiting.length > 0 && this.#running < statementsAtOnce) void this.#run();
    }, longestWaitMilliseconds);
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
      const { revisions, perQuestion } = await this.#readBatch(batch);
      batch.forEach(({ resolve }, index) => resolve({ ...revisions, rows: perQuestion[index] ?? [] }));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  async #readBatch(batch: readonly Waiting[]): Promise<LanesRead> {
    const questions = batch.map(({ question }) => question);
    const deadlines = batch.flatMap(({ deadline }) => deadline ?? []);
    const options = deadlines.length > 0 ? { deadline: Math.min(...deadlines) } : {};
    const asOf = batch[0]?.asOf;
    if (asOf !== undefined) return readLanes(this.#database, questions, asOf, options);
    // Where nothing came since the rollups, which is nearly always, they are the whole answer.
    if (!this.#behind) {
      const read = await readLanes(this.#database, questions, 'rolled', options);
      if (read.revisions.revision === read.revisions.rolled) return read;
    }
    const read = await readLanes(this.#database, questions, 'now', options);
    this.#behind = read.revisions.revision !== read.revisions.rolled;
    return read;
  }
}

export interface LanesRead {
  revisions: Revisions;
  /** By the place of the question in the list. */
  perQuestion: readonly (readonly SummedRow[])[];
}

/** Lanes in one statement; at `rolled`, what the rollups have of them, be it the whole answer or not. */
export async function readLanes(
  database: Database,
  questions: readonly LaneDays[],
  at: Moment,
  options: ReadOptions,
): Promise<LanesRead> {
  if (at === 'rolled') {
    const [row] = await database.read<RolledRow>(rolledLanes(questions), options);
    if (!row) throw new Error('there is no head');
    return { revisions: revisionsOf(row), perQuestion: monthsOf(row, questions.length) };
  }
  const rows = await database.read<TotalsRow>(totalsOfLanes(questions, at), options);
  const perQuestion = questions.map((): TotalsRow[] => []);
  for (const row of rows) perQuestion[row.question - 1]?.push(row);
  return { revisions: revisionsOf(rows[0]), perQuestion };
}

/** The months of each question, by its place in the list. */
function monthsOf({ months }: RolledRow, questions: number): SummedRow[][] {
  const perQuestion = Array.from({ length: questions }, (): SummedRow[] => []);
  if (months === null) return perQuestion;
  for (let at = 0; at < months.length;) {
    const end = at + 8 + months.readUInt16BE(at + 6);
    perQuestion[months.readUInt32BE(at) - 1]?.push({
      month: months.readUInt16BE(at + 4),
      payload: months.subarray(at + 8, end),
      change: null,
      first_day: null,
      format: null,
    });
    at = end;
  }
  return perQuestion;
}
