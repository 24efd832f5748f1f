// kill-service: the load of torn-batch while the service is killed with -9 again and again, at moments of chance.
// Clients repeat with the same key until they know; then the tables hold what was acknowledged, once, and nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from './support/random.mjs';
import { readLoadOptions, underLoad } from './torn-batch.mjs';

/** Milliseconds that the service lives after it answers. */
const shortestLife = 300;
const longestLife = 5_000;

/** @param {string[]} words @param {string} root */
export function run(words, root) {
  const options = readLoadOptions(words);
  const random = randomFrom(options.seed + 7);
  return underLoad('kill-service', options, root, (service) => async (stopped, counts) => {
    while (!stopped()) {
      // The moment is what is being tried out, so here a time is waited for.
      await delay(random.whole(shortestLife, longestLife));
      if (stopped()) return;
      await service.kill();
      counts.kills++;
      await service.start();
    }
  });
}
