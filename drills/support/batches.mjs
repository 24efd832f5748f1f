// The batches of a drill and what they add up to. Every batch has the same number of items, with the same sum, in each
// of its 48 cells (12 lanes, 4 days): whatever part of it shows without the rest, some answer is uneven or of no sum that
// whole batches have. A replacement keeps count and sum, so a hole or a double shows as a change.

export const origins = ['DRWAA', 'DRWAB', 'DRWBA', 'DRWBB'];
export const destinations = ['DREAA', 'DREAB', 'DREBA'];
export const regions = [
  { slug: 'drill_west', parent: null },
  { slug: 'drill_west_a', parent: 'drill_west' },
  { slug: 'drill_west_b', parent: 'drill_west' },
  { slug: 'drill_east', parent: null },
];
export const daysOfGroup = 4;
export const cells = origins.length * destinations.length * daysOfGroup;
/** Above the million that the service loads as one part: this much has a hidden part. */
export const largeCount = 25_000;

/** @param {string} port */
export const regionOf = (port) =>
  port.startsWith('DRE') ? 'drill_east' : `drill_west_${port[3].toLowerCase()}`;

/** A group has days of its own, some of them across the end of a month. */
export const dayOf = (/** @type {number} */ group, /** @type {number} */ offset) =>
  new Date(Date.UTC(2031, 0, 3 + group * 9 + offset)).toISOString().slice(0, 10);

/**
 * @typedef {object} Spec
 * @property {number} group whose days it has
 * @property {number} count items of a cell
 * @property {number} price their average
 * @property {number} shift how far the prices lie from it
 * @property {'rounds' | 'cells'} order cell by cell, or all cells again and again
 * @property {boolean} gzip
 * @property {'port' | 'price' | 'count' | 'quote'} [fault]
 */

export const itemsOf = (/** @type {Spec} */ { count }) => cells * count;
export const sumOf = (/** @type {Spec} */ { count, price }) => cells * count * price;

/**
 * @param {ReturnType<typeof import('./random.mjs').randomFrom>} random
 * @param {number} group
 * @param {boolean} large
 * @returns {Spec}
 */
export function makeSpec(random, group, large) {
  // Evenly over the orders of magnitude: about 50 to 50,000 items.
  const count = large ? largeCount : Math.max(1, Math.floor(1_041 ** random.next()));
  return {
    group,
    count,
    price: random.whole(2_000, 90_000),
    shift: random.whole(0, 1_900),
    order: random.of(['rounds', 'cells']),
    gzip: !large && random.chance(0.3),
  };
}

const lineOf = (/** @type {number} */ price) => (/** @type {string} */ cell) => `${cell},${price}\n`;

/** @param {Spec} spec */
function cellsOf({ group }) {
  const found = [];
  for (const origin of origins)
    for (const destination of destinations)
      for (let day = 0; day < daysOfGroup; day++) found.push(`${origin},${destination},${dayOf(group, day)}`);
  return found;
}

const faultLines = {
  port: 'DRWAX,DREAA,2031-01-03,5\n',
  price: 'DRWAA,DREAA,2031-01-03,1.5\n',
  quote: 'DRWAA,"DREAA,2031-01-03,5\n',
  count: '',
};
const chunkBytes = 1 << 16;

/**
 * The body as CSV, in pieces. A fault stands at the end, so that all that is good was read before it.
 * @param {Spec} spec
 */
export function* csvOf(spec) {
  const { count, price, shift, order, fault } = spec;
  yield Buffer.from('orig_code,dest_code,day,price\n');
  const [high, low, middle] = [price + shift, price - shift, price].map(lineOf);
  const list = cellsOf(spec);
  // Pairs of a high and a low price, and for an odd count one between: the average is exact.
  const blocks = order === 'rounds' ? [list] : list.map((cell) => [cell]);
  for (const block of blocks) {
    const pair = block.map(high).join('') + block.map(low).join('');
    const together = Math.max(1, Math.floor(chunkBytes / pair.length));
    const chunk = Buffer.from(pair.repeat(together));
    let pairs = Math.floor(count / 2);
    for (; pairs >= together; pairs -= together) yield chunk;
    yield chunk.subarray(0, pairs * pair.length);
    if (count % 2 === 1) yield Buffer.from(block.map(middle).join(''));
  }
  if (fault) yield Buffer.from(faultLines[fault]);
}
