/** The statement of the rollups' debt. */
import type { QueryConfig } from 'pg';

export interface DebtRow {
  /** The newest revision, and the one that rollups stand for. */
  newest: string;
  rolled: string;
  /** Batches published or withdrawn in between, and the items of them. */
  batches: string;
  items: string;
}

/** Both bounds of each range, so that PostgreSQL takes the indexes of revisions: batches before are not looked at. */
const since = (column: string): string =>
  `${column} > (select revision from fairway.rollup_state) and ${column} <= (select revision from fairway.head)`;

export const rollupDebt: QueryConfig = {
  name: 'rollup-debt',
  text: `select (select revision from fairway.head) as newest, (select revision from fairway.rollup_state) as rolled,
      count(*) as batches, coalesce(sum(b.items), 0) as items
    from fairway.batches b
    where (${since('b.published_revision')}) or (${since('b.withdrawn_revision')})`,
};
