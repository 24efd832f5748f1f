/**
 * Reading lanes, many in one statement: questions that arrive while others are being answered wait for the next
 * statement and share it. With nobody else about, a question is a statement of its own and waits for nothing. Under
 * load a statement is shared by several, and costs each of them less (bench/read).
 */
import { tooLate, type Database, type ReadOptions } from '../database/database.js';
import { overloaded } from '../database/failures.js';
import { runsOf, type Runs } from './changes/runs.js';
import {
  rolledLanes,
  totalsOfLanes,
  type ChangedLanesRow,
  type LaneDays,
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
/** About a second's work. More are told to come again, as those who wait for a connection are. */
const mostWaiting = 10_000;

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
  /** What had come since the rollups when they were last seen behind: then it is asked for at once. */
  #since: Since | undefined;
  #waiting: Waiting[] = [];
  #running = 0;
  #scheduled = false;
  #timed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `asOf`: of that revision, which whoever asks compares with those of the answer. Throws `overloaded`. */
  read(question: LaneDays, { deadline }: ReadOptions, asOf?: number): Promise<Totals> {
    if (this.#waiting.length >= mostWaiting) return Promise.reject(overloaded());
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
    const now = performance.now();
    // Behind a database that has gone each statement may take seconds: who is late is not sent there any more.
    const batch = this.#next().filter(
      ({ deadline = Infinity, reject }) => now < deadline || reject(tooLate()),
    );
    this.#running++;
    try {
      if (batch.length === 0) return;
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
    if (!this.#since) {
      const read = await readLanes(this.#database, questions, 'rolled', options);
      if (read.revisions.revision === read.revisions.rolled) return read;
    } else if (this.#since.runs) {
      const { revision, rolled, runs } = this.#since;
      const read = await readLanes(this.#database, questions, runs, options);
      if (read.revisions.revision === revision && read.revisions.rolled === rolled) return read;
    }
    const { since, ...read } = await readLanes(this.#database, questions, 'now', options);
    this.#since = since;
    return read;
  }
}

/** What came since the rollups: between the same two revisions, never anything else. */
interface Since {
  revision: number;
  rolled: number;
  /** Undefined where they are too many to be sent along. */
  runs: Runs | undefined;
}

export interface LanesRead {
  revisions: Revisions;
  /** By the place of the question in the list. */
  perQuestion: readonly (readonly SummedRow[])[];
  /** Told of now alone, where the rollups are behind. */
  since?: Since;
}

/**
 * Lanes in one statement; at `rolled`, what the rollups have of them, be it the whole answer or not; with `Runs`, these
 * added, which are what came since the rollups or not.
 */
export async function readLanes(
  database: Database,
  questions: readonly LaneDays[],
  at: 'rolled' | 'now' | number | Runs,
  options: ReadOptions,
): Promise<LanesRead> {
  const statement = at === 'rolled' ? rolledLanes(questions) : totalsOfLanes(questions, at);
  const rows = await database.read<RolledRow & Partial<ChangedLanesRow>>(statement, options);
  if (!rows[0]) throw new Error('there is no head');
  const perQuestion = questions.map((): SummedRow[] => []);
  for (const { months, question = 0, segments = null } of rows) {
    addMonths(perQuestion, months);
    if (segments === null) continue;
    perQuestion[question - 1]?.push({ ...noRow, segments: Buffer.from(segments, 'base64') });
  }
  const revisions = revisionsOf(rows[0]);
  const { revision, rolled } = revisions;
  if (at !== 'now' || revision === rolled) return { revisions, perQuestion };
  const first = rows.find(({ question }) => question === 1);
  const runs = runsOf(first?.came ?? '{}', first?.went ?? '{}');
  return { revisions, perQuestion, since: { revision, rolled, runs } };
}

const noRow = { month: null, change: null, first_day: null, format: null, payload: null };

function addMonths(perQuestion: readonly SummedRow[][], encoded: string | null): void {
  if (encoded === null) return;
  const months = Buffer.from(encoded, 'base64');
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
}
