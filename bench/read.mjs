// bench/read: how fast is the README's question, first asked and asked again, beside what HTTP and the obvious
// service over rows would do? The service is the real program; peers are interleaved with it in one run.
import { resolve, join } from 'node:path';
import { startChild } from './support/children.mjs';
import { describeRun, numberOf, readOptions, tell, wrongUse } from './support/options.mjs';
import { progressLine } from './support/report.mjs';
import { withFolder } from './support/service.mjs';
import { measureDataset } from './read/dataset.mjs';
import { renderRead } from './read/render.mjs';

const usage = `npm run bench -- read [options]
  --items LIST     what to ask about: 'sample' (what npm start loads) or a number of generated items;
                   several with commas (sample,10000000)
  --rounds N       rounds, each with every peer once (5)
  --seconds N      length of one measurement (3)
  --idle N         seconds of rest before memory is read (10)
  --data-dir PATH  keep the databases there, one folder each, and use them again
  --json           the whole result as JSON on standard output
  --save           write bench/results/read-DATE.md; --out PATH another file (.json: as JSON)
`;

const defaults = {
  items: 'sample,10000000',
  rounds: '5',
  seconds: '3',
  idle: '10',
  'data-dir': undefined,
};

export async function run(words, { root, results }) {
  const values = readOptions(words, usage, defaults);
  if (values === undefined) return 0;
  const settings = readSettings(values);
  const result = { ...describeRun('read', words), settings, datasets: [] };
  const progress = progressLine();
  try {
    await withFolder(async (folder) => {
      const client = await startChild(join(root, 'bench', 'support', 'client.mjs'), {});
      // Without its client the measurement fails, and everything that was started is stopped on the way out.
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void client.stop());
      try {
        for (const items of settings.items) {
          const dataDir = resolve(values['data-dir'] ?? folder, String(items));
          result.datasets.push(
            await measureDataset({ root, folder, dataDir, items, client, settings, progress }),
          );
        }
      } finally {
        await client.stop();
      }
    });
  } finally {
    progress.clear();
  }
  tell(result, renderRead, values, results);
  return 0;
}

function readSettings(values) {
  const items = values.items.split(',').map((text) => {
    if (text === 'sample') return text;
    if (/^[1-9][0-9]{3,9}$/.test(text)) return Number(text);
    throw wrongUse(`--items: '${text}' is neither 'sample' nor a number from 1000`);
  });
  return {
    items,
    rounds: Math.round(numberOf(values, 'rounds')),
    seconds: numberOf(values, 'seconds'),
    idleSeconds: numberOf(values, 'idle'),
    connections: [8, 32],
    poolSize: 8,
  };
}
