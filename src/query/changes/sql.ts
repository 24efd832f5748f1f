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

/**
 * Segments with the items from `lower` to before `upper`, at first all. `width` is that of an item; days asked for are as the
 * payload has them, null where an offset takes one byte: such a segment spans a few months and is sent whole.
 */
const withBounds = (segments: string): string => `select s.*, 0 as lower, s.items as upper,
      get_byte(s.payload, 0) + get_byte(s.payload, 1) as width,
      case when get_byte(s.payload, 0) = 2 then int2send(greatest(date '1970-01-01' + q.from_day - s.first_day, 0)::smallint) end as from_offset,
      case when get_byte(s.payload, 0) = 2 then int2send((date '1970-01-01' + q.to_day - s.first_day)::smallint) end as to_offset
    from (${segments}) s offset 0`;

/** A step of a search: without the half that lies before or after the days asked for, by the day of the item in the middle. */
const halved = (
  segments: string,
): string => `select s.change, s.first_day, s.format, s.payload, s.width, s.from_offset, s.to_offset,
      case when s.day < s.from_offset then (s.lower + s.upper) / 2 else s.lower end as lower,
      case when s.day > s.to_offset then (s.lower + s.upper) / 2 else s.upper end as upper
    from (select s.*, substring(s.payload from 7 + (s.lower + s.upper) / 2 * s.width for 2) as day from (${segments}) s offset 0) s offset 0`;

/**
 * Segments of question `q` as `ChangedLanesRow` has them. Two steps leave about a third of the bytes, and cost PostgreSQL
 * less than to send them would; a third step costs as much as it saves (docs/decisions/0003-rollups.md).
 */
export const packedSegments = (
  segments: string,
): string => `select encode(string_agg(int8send((s.change::bigint << 48) | ((s.first_day - date '1970-01-01')::bigint << 32)
        | (s.format::integer << 16) | (6 + (s.upper - s.lower) * s.width)) || substring(s.payload for 6)
        || substring(s.payload from 7 + s.lower * s.width for (s.upper - s.lower) * s.width), ''::bytea), 'base64')
      from (${halved(halved(withBounds(segments)))}) s`;
