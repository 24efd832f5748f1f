/** The page at /: reads the question from the address or the form, asks the service, shows the answer or what failed. */
import { suggestPlaces } from './combobox.js';
import {
  clearFaults,
  fillForm,
  inputOf,
  lookUp,
  readForm,
  sentence,
  showFaults,
  showPlace,
} from './fields.js';
import { hideResult, showResult } from './result.js';
import { askRates, Failure, parameters, queryOf, showKey } from './service.js';

/** @typedef {import('./service.js').Question} Question */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const form = /** @type {HTMLFormElement} */ (byId('question'));
const status = byId('status');
const failure = byId('failure');
const access = /** @type {HTMLFormElement} */ (byId('access'));
const key = /** @type {HTMLInputElement} */ (byId('key'));

let asked = new AbortController();

/** Asks what the form holds. The address follows, so that it can be shared. */
function submit() {
  const query = `?${queryOf(readForm())}`;
  // The same question again is no step to go back to.
  if (query === location.search) history.replaceState(null, '', query);
  else history.pushState(null, '', query);
  void ask();
}

async function ask() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const question = readForm();
  form.ariaBusy = 'true';
  status.textContent = 'Asking…';
  // Names come beside the rates and must not hold them up.
  const places = Promise.all([lookUp('origin'), lookUp('destination')]);
  try {
    const answer = await askRates(question, signal);
    clear();
    status.textContent = showResult(question, answer, places);
  } catch (error) {
    if (signal.aborted) return;
    clear();
    hideResult();
    showFailure(error);
  } finally {
    if (!signal.aborted) form.ariaBusy = null;
  }
}

function clear() {
  clearFaults();
  failure.hidden = true;
  access.hidden = true;
  status.textContent = '';
}

/** @param {unknown} error */
function showFailure(error) {
  if (!(error instanceof Failure)) throw error;
  access.hidden = !error.needsKey;
  const homeless = showFaults(error.faults, submit);
  if (error.faults.length > 0 && homeless.length === 0) return;
  const text = homeless.length > 0 ? homeless.map((fault) => sentence(fault)).join(' ') : error.message;
  const again = document.createElement('button');
  again.type = 'button';
  again.className = 'quiet';
  again.textContent = 'Try again';
  again.addEventListener('click', () => void ask());
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  failure.replaceChildren(paragraph, ...(error.needsKey ? [] : [again]));
  failure.hidden = false;
}

/** Shows what the address says: a question, or the empty form. */
function followAddress() {
  const query = new URLSearchParams(location.search);
  fillForm(query);
  if (parameters.some((name) => query.has(name))) {
    void ask();
    return;
  }
  asked.abort();
  form.ariaBusy = null;
  clear();
  hideResult();
  void lookUp('origin');
  void lookUp('destination');
}

function swap() {
  const { origin, destination } = readForm();
  inputOf('origin').value = destination;
  inputOf('destination').value = origin;
  // With an answer on the page, the other direction is what is wanted next.
  if (location.search !== '') return submit();
  void lookUp('origin');
  void lookUp('destination');
}

form.noValidate = true;
form.addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
for (const name of /** @type {const} */ (['origin', 'destination'])) {
  suggestPlaces(inputOf(name), (place) => showPlace(name, place));
  inputOf(name).addEventListener('input', () => showPlace(name, undefined));
  inputOf(name).addEventListener('change', () => void lookUp(name));
}
access.addEventListener('submit', (event) => {
  event.preventDefault();
  showKey(key.value.trim());
  key.value = '';
  void ask();
});
byId('swap').hidden = false;
byId('swap').addEventListener('click', swap);
addEventListener('popstate', followAddress);
followAddress();
