/** The answer on the page: heading, summary, chart, table, and the command that asks the same. */
import { drawChart } from './chart.js';
import { queryOf, showsKey } from './service.js';
import { figuresOf, formatPrice, isWithheld, summarize } from './summary.js';

/** @typedef {import('./service.js').Answer} Answer */
/** @typedef {import('./service.js').Question} Question */
/** @typedef {import('./service.js').Place} Place */
/** @typedef {import('./service.js').Rate} Rate */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const result = byId('result');
let stopDrawing = () => {};

export function hideResult() {
  stopDrawing();
  result.hidden = true;
  document.title = 'Fairway: freight rates';
}

/**
 * Shows it and returns the sentence that says it. The names of the places may come later.
 *
 * @param {Question} question
 * @param {Answer} answer
 * @param {Promise<(Place | undefined)[]>} places
 */
export function showResult(question, { rates, revision }, places) {
  const summary = summarize(rates);
  name(question.origin, question.destination);
  const shown = byId('lane').textContent;
  void places.then(([origin, destination]) => {
    // Another answer may have come meanwhile.
    if (byId('lane').textContent === shown && (origin || destination))
      name(origin?.name ?? question.origin, destination?.name ?? question.destination);
  });
  byId('summary').textContent = summary;
  byId('caption').textContent = `Average price per day, ${question.origin} to ${question.destination}`;
  byId('rows').replaceChildren(...rates.toReversed().map(row));
  byId('figures').hidden = rates.length === 0;
  const key = showsKey() ? ' -H "Authorization: Bearer $FAIRWAY_API_KEY"' : '';
  byId('command').textContent = `curl '${location.origin}/rates?${queryOf(question)}'${key}`;
  byId('revision').textContent = revision ? `Answered as of revision ${revision} of the data.` : '';
  byId('copy').textContent = 'Copy';
  result.hidden = false;
  draw(rates, summary);
  return summary;
}

/** @param {string} origin @param {string} destination */
function name(origin, destination) {
  byId('lane').textContent = `${origin} to ${destination}`;
  document.title = `${origin} to ${destination}: Fairway`;
}

/** @param {Rate[]} rates @param {string} summary */
function draw(rates, summary) {
  stopDrawing();
  const { known, withheld } = figuresOf(rates);
  const figure = /** @type {HTMLElement} */ (byId('chart').closest('figure'));
  figure.hidden = known.length === 0;
  byId('chart').replaceChildren();
  byId('legend').replaceChildren(
    key('average', 'average price of the day'),
    ...(withheld > 0 ? [key('withheld', 'withheld: fewer than three prices')] : []),
  );
  if (!figure.hidden)
    stopDrawing = drawChart(byId('chart'), rates, `Chart of the average price per day. ${summary}`);
}

/** @param {string} kind @param {string} text */
function key(kind, text) {
  const entry = document.createElement('span');
  entry.className = `key ${kind}`;
  entry.textContent = text;
  return entry;
}

/** @param {Rate} rate */
function row(rate) {
  const line = document.createElement('tr');
  const day = document.createElement('th');
  day.scope = 'row';
  day.textContent = rate.day;
  const price = document.createElement('td');
  price.className = 'number';
  if (rate.price !== null) price.textContent = formatPrice(rate.price);
  else {
    price.textContent = isWithheld(rate) ? 'withheld' : 'none';
    price.classList.add('absent');
  }
  const count = document.createElement('td');
  count.className = 'number';
  count.textContent = String(rate.count ?? 0);
  line.append(day, price, count);
  return line;
}

byId('copy').addEventListener('click', () => {
  void copy().then((text) => {
    byId('copy').textContent = text;
    byId('status').textContent = text;
  });
});

/** The clipboard needs a secure address; without one the command is selected, to be copied by hand. */
async function copy() {
  try {
    await navigator.clipboard.writeText(byId('command').textContent ?? '');
    return 'Copied';
  } catch {
    getSelection()?.selectAllChildren(byId('command'));
    return 'Selected';
  }
}
