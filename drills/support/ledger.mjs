// The ledger of one client: what it asked and what it was told, a line of JSON each, in order.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const flushBytes = 1 << 15;

export class Ledger {
  /** @param {string} folder @param {string} client */
  constructor(folder, client) {
    this.client = client;
    this.lines = 0;
    this.file = openSync(join(folder, `${client}.ndjson`), 'w');
    this.text = '';
  }

  /** Returns where the line stands, as `client:line`. @param {Record<string, unknown>} entry */
  write(entry) {
    this.text += `${JSON.stringify({ time: Date.now(), ...entry })}\n`;
    if (this.text.length > flushBytes) this.flush();
    return `${this.client}.ndjson:${++this.lines}`;
  }

  flush() {
    writeSync(this.file, this.text);
    this.text = '';
  }

  close() {
    this.flush();
    closeSync(this.file);
  }
}

const mostOfPromise = 5;

/** What was found broken: the promise, and where it shows; the first ones of each promise. */
export class Findings {
  constructor() {
    /** @type {{ promise: string, text: string }[]} */
    this.list = [];
    this.total = 0;
    this.begun = false;
    /** Called with the first of them, but not where it is just an answer that should not be: what that hides shows later. */
    this.onFirst = () => undefined;
  }

  /** @param {string} promise @param {string} text */
  add(promise, text) {
    this.total++;
    if (this.list.filter((finding) => finding.promise === promise).length < mostOfPromise)
      this.list.push({ promise, text });
    if (promise === 'answers' || this.begun) return;
    this.begun = true;
    this.onFirst();
  }
}
