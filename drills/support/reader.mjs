// A reader: asks all the endpoints of rates all the time. What can be seen from one answer alone is checked at once;
// whether it is what stood there at its revision, reconcile.mjs finds from the ledgers.
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.mjs';
import { followCopy, followRevisions } from './followers.mjs';
import { Ledger } from './ledger.mjs';
import { askAgain, askMany, askRates, askSources } from './questions.mjs';
import { randomFrom } from './random.mjs';

/** Between two questions, so that the writers get their share of a small machine, and ledgers stay small. */
const pauseMilliseconds = 4;
/** As often as they stand here. */
const questions = [
  askRates,
  askRates,
  askRates,
  askRates,
  askAgain,
  askAgain,
  askMany,
  askSources,
  followCopy,
  followRevisions,
];

/**
 * @param {object} load
 * @param {number} load.number
 * @param {number} load.seed
 * @param {import('./writer.mjs').Group[]} load.groups
 * @param {string} load.folder
 * @param {() => string} load.url
 * @param {Map<number, { count: number, price: number }>} load.steady totals of a cell in groups where they never change
 * @param {{ first: number, newest: number }} load.known revisions that all clients together were told: from the first one all steady groups are there
 * @param {boolean} load.standby whether a standby answers: it may be behind, and only `min_revision` keeps a client from going back
 * @param {Record<string, number>} load.counts
 * @param {import('./ledger.mjs').Findings} load.findings
 * @param {() => boolean} load.stopped
 */
export async function read(load) {
  const name = `reader-${String(load.number).padStart(2, '0')}`;
  const random = randomFrom(load.seed * 1_000 + 500 + load.number);
  const ledger = new Ledger(load.folder, name);
  const client = new Client(load.url);
  /** @type {Reader} */
  const reader = {
    ...load,
    random,
    ledger,
    client,
    newest: 0,
    answers: [],
    copy: { revision: 0, cells: new Map() },
    toldUpTo: load.known.first,
  };
  try {
    while (!load.stopped()) {
      await random.of(questions)(reader);
      await delay(pauseMilliseconds);
    }
  } finally {
    client.close();
    ledger.close();
  }
}

/**
 * @typedef {Parameters<typeof read>[0] & { random: ReturnType<typeof randomFrom>, ledger: Ledger, client: Client,
 *   newest: number, answers: import('./questions.mjs').Remembered[], copy: import('./followers.mjs').Copy, toldUpTo: number }} Reader
 *   `newest`: the newest revision it was answered from; `answers`: some of the last ones, to be asked again
 */
