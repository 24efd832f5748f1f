/** SQL of what changed between two revisions, for the statements of questions. */

/** What lies between the rollups and the revision that is asked for. */
export interface Between {
  /** SQL of the two revisions: what happened after the first, up to the second. */
  after: string;
  upTo: string;
  /** SQL of 1 where the rollups are the older side, -1 where they are the newer one. */
  direction: string;
}

const rolled = '(select revision from fairway.rollup_state)';
export const sinceRollups: Between = {
  after: rolled,
  upTo: '(select revision from fairway.head)',
  direction: '1',
};
/** The revision asked for, in a parameter, may lie before the rollups: then what came since is taken away, and what went since added. */
export const aroundRollups: Between = {
  after: `least(${rolled}, $7::bigint)`,
  upTo: `greatest(${rolled}, $7::bigint)`,
  direction: `case when ${rolled} <= $7::bigint then 1 else -1 end`,
};

/** Both bounds, though no revision lies beyond the head: of a range PostgreSQL expects few rows and takes the index, of an open end a third of the table. */
const within = ({ after, upTo }: Between, column: string): string =>
  `${column} > ${after} and ${column} <= ${upTo}`;

/**
 * Attempts that are visible at one end and not at the other. They are found first, over the indexes of revisions, and
 * then their segments over (lane, attempt): batches of other revisions are not touched.
 */
export const came = (between: Between): string => `array(select b.attempt from fairway.batches b
      where ${within(between, 'b.published_revision')} and (b.withdrawn_revision is null or b.withdrawn_revision > ${between.upTo}))`;
export const went = (between: Between): string => `array(select b.attempt from fairway.batches b
      where ${within(between, 'b.withdrawn_revision')} and b.published_revision <= ${between.after})`;
