/** The fields of the form: their values, what is wrong with them, and the name of the place they hold. */
import { findPlace, parameters } from './service.js';

/** @typedef {import('./service.js').Question} Question */
/** @typedef {import('./service.js').Fault} Fault */
/** @typedef {import('./service.js').Place} Place */

/** What older parameter names of the service stand for. @type {Record<string, string>} */
const aliases = { orig_code: 'origin', dest_code: 'destination' };

/** @param {string} name */
export const inputOf = (name) => /** @type {HTMLInputElement} */ (document.getElementById(name));

/** @returns {Question} */
export const readForm = () => ({
  origin: inputOf('origin').value.trim(),
  destination: inputOf('destination').value.trim(),
  date_from: inputOf('date_from').value,
  date_to: inputOf('date_to').value,
});

/** @param {URLSearchParams} query Parameters that are not in it keep their value. */
export function fillForm(query) {
  for (const name of parameters) inputOf(name).value = query.get(name) ?? inputOf(name).defaultValue;
}

export function clearFaults() {
  for (const name of parameters) {
    const input = inputOf(name);
    input.ariaInvalid = null;
    document.getElementById(`${name}-fault`)?.remove();
    describe(input, document.getElementById(`${name}-hint`) ? `${name}-hint` : '');
  }
}

/**
 * Shows each fault at its field and puts the focus on the first. Returns those that belong to no field.
 *
 * @param {Fault[]} faults
 * @param {() => void} onSuggestion Called once a suggestion is in its field.
 */
export function showFaults(faults, onSuggestion) {
  const homeless = [];
  /** @type {HTMLInputElement | undefined} */
  let first;
  for (const fault of faults) {
    const name = aliases[fault.parameter] ?? fault.parameter;
    const input = parameters.some((known) => known === name) ? inputOf(name) : null;
    if (!input || document.getElementById(`${name}-fault`)) {
      homeless.push(fault);
      continue;
    }
    first ??= input;
    input.ariaInvalid = 'true';
    const text = document.createElement('p');
    text.className = 'fault';
    text.id = `${name}-fault`;
    text.append(sentence(fault), ...suggestionsOf(fault, input, onSuggestion));
    input.closest('.field')?.append(text);
    describe(input, document.getElementById(`${name}-hint`) ? `${text.id} ${name}-hint` : text.id);
  }
  first?.focus();
  return homeless;
}

/** @param {HTMLElement} input @param {string} ids */
const describe = (input, ids) =>
  ids === '' ? input.removeAttribute('aria-describedby') : input.setAttribute('aria-describedby', ids);

/** @param {Fault} fault */
export function sentence({ message, expected }) {
  const text = expected ? `${message}; expected: ${expected}` : message;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/**
 * @param {Fault} fault
 * @param {HTMLInputElement} input
 * @param {() => void} onSuggestion
 */
function suggestionsOf({ suggestions = [] }, input, onSuggestion) {
  return suggestions.map(({ code, name }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = name && name !== code ? `${name} (${code})` : code;
    button.addEventListener('click', () => {
      input.value = code;
      onSuggestion();
    });
    return button;
  });
}

const plainHint = 'Port or region';

/** @param {string} name @param {Place | undefined} place */
export function showPlace(name, place) {
  const hint = document.getElementById(`${name}-hint`);
  if (!hint) return;
  const within = place?.parent ? ` in ${place.parent.replaceAll('_', ' ')}` : '';
  hint.textContent = place ? `${place.name}, ${place.kind}${within}` : plainHint;
}

/**
 * Looks the place of a field up and shows it, unless another value was typed meanwhile.
 *
 * @param {'origin' | 'destination'} name
 */
export async function lookUp(name) {
  const value = inputOf(name).value.trim();
  const place = await findPlace(value);
  if (inputOf(name).value.trim() === value) showPlace(name, place);
  return place;
}
