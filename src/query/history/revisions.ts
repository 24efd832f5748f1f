/** What each revision changed, for those who follow along: in goes the last revision known, out come those after it. */
import type { ReadOptions } from '../../database/database.js';
import { atRevision, checkReached } from '../at-revision.js';
import type { RatesSource } from '../rates.js';
import { revisionsAfter, type BatchChange, type PlaceChange, type RevisionRow } from './sql.js';

export interface Revision {
  revision: number;
  made_at: string;
  reason: string;
  kind: 'published' | 'withdrawn' | 'replaced' | 'places';
  batches: (BatchChange & { change: 'came' | 'went' })[];
  places: PlaceChange[];
}

export interface RevisionsPage {
  revisions: Revision[];
  /** The newest there is. */
  newest: number;
}

/** At most `limit` revisions after `since`, the oldest first. `until`: one that is known to be there. Throws for a `since` that does not exist yet. */
export const revisionsSince = (
  source: RatesSource,
  since: number,
  limit: number,
  options: ReadOptions,
  until?: number,
): Promise<RevisionsPage> =>
  atRevision(source, options, async ({ database }) => {
    const rows = await database.read<RevisionRow>(revisionsAfter(since, limit), options);
    const newest = Number(rows[0]?.newest ?? 0);
    checkReached(newest, { since, until });
    return { revisions: rows.filter(({ revision }) => revision !== null).map(revisionOf), newest };
  });

function revisionOf({ revision, made_at, reason, came, went, places }: RevisionRow): Revision {
  const kind =
    came.length > 0 ? (went.length > 0 ? 'replaced' : 'published') : went.length > 0 ? 'withdrawn' : 'places';
  return {
    revision: Number(revision),
    made_at: made_at.toISOString(),
    reason,
    kind,
    batches: [
      ...came.map((batch) => ({ ...batch, change: 'came' as const })),
      ...went.map((batch) => ({ ...batch, change: 'went' as const })),
    ],
    places: places ?? [],
  };
}
