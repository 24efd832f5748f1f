/** Draws rates as SVG: colours and text sizes come from the style sheet, so dark mode, zoom and print just work. */
import { dayTicks, runsOf, tickTexts, valueTicks } from './scale.js';
import { formatDay, formatPrice, isWithheld } from './summary.js';

/** @typedef {import('./service.js').Rate} Rate */
/** @typedef {{left: number, right: number, top: number, bottom: number, x: (index: number) => number, y: (price: number) => number, ticks: number[], step: number}} Plot */

const height = 300;
const margin = { top: 12, right: 12, bottom: 30 };
/** Up to so many days each has its point; beyond, only days that stand alone. */
const mostPoints = 62;

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function element(name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * Draws into the frame, again whenever its width changes. Returns what ends that.
 *
 * @param {HTMLElement} frame
 * @param {readonly Rate[]} rates Oldest first; at least one has a price.
 * @param {string} label What a screen reader says in its place.
 */
export function drawChart(frame, rates, label) {
  let drawn = 0;
  const observer = new ResizeObserver(() => {
    const width = Math.floor(frame.clientWidth);
    if (width === drawn || width === 0) return;
    drawn = width;
    frame.replaceChildren(...render(rates, label, width));
  });
  observer.observe(frame);
  return () => observer.disconnect();
}

/**
 * @param {readonly Rate[]} rates
 * @param {string} label
 * @param {number} width
 */
function render(rates, label, width) {
  const plot = planOf(rates, width);
  const svg = element('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': label,
  });
  svg.append(...axes(rates, plot), ...marks(rates, plot));
  const readout = document.createElement('p');
  readout.className = 'readout';
  readout.ariaHidden = 'true';
  follow(svg, readout, rates, plot);
  return [readout, svg];
}

/** @param {readonly Rate[]} rates @param {number} width @returns {Plot} */
function planOf(rates, width) {
  const prices = rates.flatMap(({ price }) => (price === null ? [] : [price]));
  const low = prices.reduce((least, price) => Math.min(least, price), Infinity);
  const high = prices.reduce((most, price) => Math.max(most, price), -Infinity);
  const ticks = valueTicks(low, high, 4);
  const [bottomValue = 0] = ticks;
  const topValue = ticks.at(-1) ?? 1;
  const widest = Math.max(...tickTexts(ticks).map((text) => text.length));
  const left = 12 + widest * 8;
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const step = (right - left) / Math.max(1, rates.length);
  // Days whose price is withheld have a row of their own above the axis.
  const floor = rates.some(isWithheld) ? bottom - 18 : bottom;
  return {
    left,
    right,
    top: margin.top,
    bottom,
    ticks,
    step,
    // A day is a column; its mark stands in the middle.
    x: (index) => left + (index + 0.5) * step,
    y: (price) => floor - ((price - bottomValue) / (topValue - bottomValue)) * (floor - margin.top),
  };
}

/** @param {readonly Rate[]} rates @param {Plot} plot */
function axes(rates, { left, right, bottom, x, y, ticks }) {
  const texts = tickTexts(ticks);
  const nodes = ticks.flatMap((tick, index) => [
    element('line', { class: 'grid', x1: left, x2: right, y1: y(tick), y2: y(tick) }),
    element(
      'text',
      { class: 'tick', x: left - 8, y: y(tick), dy: '0.32em', 'text-anchor': 'end' },
      texts[index],
    ),
  ]);
  nodes.push(element('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }));
  const count = Math.max(2, Math.floor((right - left) / 64));
  for (const { index, text } of dayTicks(rates[0]?.day ?? '', rates.length, count)) {
    nodes.push(element('line', { class: 'axis', x1: x(index), x2: x(index), y1: bottom, y2: bottom + 5 }));
    const room = text.length * 3.5;
    const anchor = x(index) - room < 0 ? 'start' : x(index) + room > right + margin.right ? 'end' : 'middle';
    nodes.push(element('text', { class: 'tick', x: x(index), y: bottom + 20, 'text-anchor': anchor }, text));
  }
  return nodes;
}

/** @param {readonly Rate[]} rates @param {Plot} plot */
function marks(rates, { bottom, step, x, y }) {
  /** @type {Element[]} */
  const nodes = [];
  const radius = Math.min(3.5, Math.max(1, step * 0.4));
  rates.forEach((rate, index) => {
    if (isWithheld(rate))
      nodes.push(element('circle', { class: 'withheld', cx: x(index), cy: bottom - 8, r: radius }));
  });
  for (const run of runsOf(rates)) {
    const path = run.map(({ index, price }) => `${x(index).toFixed(1)} ${y(price).toFixed(1)}`).join('L');
    if (run.length > 1) nodes.push(element('path', { class: 'line', d: `M${path}` }));
    if (run.length > 1 && rates.length > mostPoints) continue;
    for (const { index, price } of run)
      nodes.push(element('circle', { class: 'point', cx: x(index), cy: y(price), r: 3 }));
  }
  return nodes;
}

/**
 * A line and a readout follow the pointer to the nearest day. The table has the same for everyone else.
 *
 * @param {Element} svg
 * @param {HTMLElement} readout
 * @param {readonly Rate[]} rates
 * @param {Plot} plot
 */
function follow(svg, readout, rates, { left, right, top, bottom, x, y }) {
  const line = element('line', { class: 'cursor', y1: top, y2: bottom, visibility: 'hidden' });
  const dot = element('circle', { class: 'focus', r: 5, visibility: 'hidden' });
  svg.append(line, dot);
  const resting = 'Point at the chart for the figures of a day.';
  readout.textContent = resting;
  svg.addEventListener('pointermove', (event) => {
    const offset = /** @type {PointerEvent} */ (event).clientX - svg.getBoundingClientRect().left;
    const index = Math.floor(((offset - left) / (right - left)) * rates.length);
    const rate = rates[Math.max(0, Math.min(rates.length - 1, index))];
    if (!rate) return;
    const place = x(rates.indexOf(rate));
    line.setAttribute('x1', String(place));
    line.setAttribute('x2', String(place));
    line.setAttribute('visibility', 'visible');
    dot.setAttribute('visibility', rate.price === null ? 'hidden' : 'visible');
    if (rate.price !== null) {
      dot.setAttribute('cx', String(place));
      dot.setAttribute('cy', String(y(rate.price)));
    }
    readout.textContent = `${formatDay(rate.day)}: ${describe(rate)}`;
  });
  svg.addEventListener('pointerleave', () => {
    line.setAttribute('visibility', 'hidden');
    dot.setAttribute('visibility', 'hidden');
    readout.textContent = resting;
  });
}

/** @param {Rate} rate */
function describe({ price, count }) {
  if (count === null) return 'no prices';
  const prices = count === 1 ? '1 price' : `${count} prices`;
  return price === null ? `withheld, only ${prices}` : `${formatPrice(price)} from ${prices}`;
}
