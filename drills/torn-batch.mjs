// torn-batch: writers publish, replace and withdraw batches of known sums while readers ask. No answer shows part of a
// batch, none goes backwards; in the end the tables hold what was acknowledged and nothing else.
import { join } from 'node:path';
import { Findings } from './support/ledger.mjs';
import { runLoad } from './support/load.mjs';
import { readOptions } from './support/options.mjs';
import { randomFrom } from './support/random.mjs';
import { freePort, Service, withFolder } from './support/service.mjs';
import { Standby } from './support/standby.mjs';
import { collect, keep, progress, reconcile, tell } from './support/verdict.mjs';

const numbers = {
  seconds: { fallback: 120, most: 3_600 },
  writers: { fallback: 20, most: 200, least: 4 },
  readers: { fallback: 8, most: 100 },
  seed: { fallback: 1, most: 1_000_000 },
  /** One batch of so many has more than a million items. */
  large: { fallback: 100, most: 1_000_000 },
};

/** Of both drills under load. @param {string[]} words */
export const readLoadOptions = (words) => readOptions(words, numbers, {}, ['standby']);

/** @param {string[]} words @param {string} root */
export function run(words, root) {
  return underLoad('torn-batch', readLoadOptions(words), root);
}

/**
 * The load, the collector, the comparison. Returns the exit code.
 * @param {string} drill
 * @param {Record<string, any>} options
 * @param {string} root
 * @param {(service: Service) => ((stopped: () => boolean, counts: Record<string, number>) => Promise<void>)} [beside] what
 *   happens to the service meanwhile
 */
export function underLoad(drill, options, root, beside) {
  return withFolder(async (folder) => {
    const data = join(folder, 'data');
    const service = new Service({ root, data, log: join(folder, 'service.log'), port: await freePort() });
    const findings = new Findings();
    const begun = performance.now();
    const { seconds, writers, readers, seed, large: largeEvery, goOn } = options;
    const standby = options.standby
      ? new Standby({ root, data, folder: join(folder, 'standby') })
      : undefined;
    try {
      progress('starting');
      await service.start();
      await standby?.start(service);
      const load = await runLoad({
        seconds,
        writers,
        readers,
        seed,
        largeEvery,
        goOn,
        folder,
        findings,
        url: () => service.url,
        onProgress: (counts) => progress(line(begun, counts)),
        standby: standby !== undefined,
        ready: async () => standby?.caughtUp(),
        beside: async (stopped, counts) => {
          await Promise.all([
            beside?.(service)(stopped, counts),
            standby?.lag(randomFrom(seed + 11), stopped, counts),
          ]);
        },
      });
      progress('collecting and comparing');
      await collect(service, data);
      const compared = await reconcile({ root, data, ledgers: load.ledgers, findings });
      progress('');
      keep(load.ledgers, options.keep);
      const result = { counts: load.counts, ...compared, seed, seconds: load.seconds };
      return tell({ drill, options, findings, result });
    } finally {
      await standby?.stop();
      await service.stop();
    }
  });
}

/** @param {number} begun @param {Record<string, number>} counts */
const line = (begun, counts) =>
  `${Math.round((performance.now() - begun) / 1_000)} s: ${Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`;
