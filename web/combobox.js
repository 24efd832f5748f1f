/**
 * Suggestions below a text field, after the pattern "editable combobox with list autocomplete" of the WAI-ARIA
 * Authoring Practices: the focus stays in the field, arrows choose, Enter takes, Escape closes.
 */
import { searchPlaces } from './service.js';

/** @typedef {import('./service.js').Place} Place */

const pauseMilliseconds = 120;

/**
 * @param {HTMLInputElement} input
 * @param {(place: Place) => void} onChoose The value is in the field by then.
 */
export function suggestPlaces(input, onChoose) {
  const list = document.createElement('ul');
  list.id = `${input.id}-list`;
  list.className = 'suggestions';
  list.role = 'listbox';
  list.ariaLabel = 'Ports and regions';
  list.hidden = true;
  input.after(list);
  input.role = 'combobox';
  input.ariaAutoComplete = 'list';
  input.setAttribute('aria-controls', list.id);
  return new Combobox(input, list, onChoose);
}

class Combobox {
  /** @type {Place[]} */
  places = [];
  active = -1;
  asked = new AbortController();
  timer = 0;

  /**
   * @param {HTMLInputElement} input
   * @param {HTMLUListElement} list
   * @param {(place: Place) => void} onChoose
   */
  constructor(input, list, onChoose) {
    this.input = input;
    this.list = list;
    this.onChoose = onChoose;
    this.close();
    input.addEventListener('input', () => this.askSoon());
    input.addEventListener('keydown', (event) => this.onKey(event));
    input.addEventListener('blur', () => this.close());
    // Else the field would lose the focus, and the list with it, before the click arrives.
    list.addEventListener('pointerdown', (event) => event.preventDefault());
    list.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
      if (option) this.choose([...list.children].indexOf(option));
    });
  }

  askSoon() {
    this.asked.abort();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), pauseMilliseconds);
  }

  async ask() {
    this.asked = new AbortController();
    const { signal } = this.asked;
    const places = await searchPlaces(this.input.value.trim(), signal);
    if (signal.aborted || document.activeElement !== this.input) return;
    this.show(places);
  }

  /** @param {Place[]} places */
  show(places) {
    this.places = places;
    this.list.replaceChildren(...places.map((place, index) => optionOf(place, `${this.list.id}-${index}`)));
    this.list.hidden = places.length === 0;
    this.input.ariaExpanded = String(places.length > 0);
    this.mark(-1);
  }

  close() {
    this.asked.abort();
    clearTimeout(this.timer);
    this.show([]);
  }

  /** @param {number} index */
  mark(index) {
    this.active = index;
    [...this.list.children].forEach((option, at) => (option.ariaSelected = String(at === index)));
    const option = this.list.children[index];
    if (option) {
      this.input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else this.input.removeAttribute('aria-activedescendant');
  }

  /** @param {1 | -1} step */
  step(step) {
    // -1 is the field itself: past either end one is back in what was typed.
    const count = this.places.length + 1;
    this.mark(((this.active + 1 + step + count) % count) - 1);
  }

  /** @param {number} index */
  choose(index) {
    const place = this.places[index];
    if (!place) return;
    this.input.value = place.code;
    this.close();
    this.onChoose(place);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const open = this.places.length > 0;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (open) this.step(event.key === 'ArrowDown' ? 1 : -1);
      else void this.ask();
    } else if (event.key === 'Enter' && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === 'Enter') {
      // The form is sent as it is: nothing may open above the answer, not even what was asked for just now.
      this.close();
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      this.close();
    }
  }
}

/** @param {Place} place @param {string} id */
function optionOf({ kind, code, name }, id) {
  const option = document.createElement('li');
  option.id = id;
  option.role = 'option';
  const label = document.createElement('span');
  label.textContent = name;
  const detail = document.createElement('span');
  detail.className = 'detail';
  detail.textContent = kind === 'port' ? code : `${code}, region`;
  option.append(label, ' ', detail);
  return option;
}
