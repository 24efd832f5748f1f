// bench/read: how fast is the README's question, first asked and asked again, beside what HTTP and the obvious
// service over rows would do? The service is the real program; peers are interleaved with it in one run.
import { resolve, join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from './support/children.mjs';
import { describeCommit, describeMachine, today } from './support/machine.mjs';
import { progressLine, writeResult } from './support/report.mjs';
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

const options = {
  items: { type: 'string', default: 'sample,10000000' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '3' },
  idle: { type: 'string', default: '10' },
  'data-dir': { type: 'string' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
};

export async function run(words, { root, results }) {
  const { values } = parseArgs({ args: words, options });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const settings = readSettings(values);
  const result = {
    question: 'read',
    date: today(),
    commit: describeCommit(),
    command: ['npm run bench --', 'read', ...withoutPaths(words)].join(' '),
    machine: describeMachine(),
    settings,
    datasets: [],
  };
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
  const text = renderRead(result);
  const json = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(values.json ? json : text);
  const out = values.out ?? (values.save ? join(results, `read-${result.date}.md`) : undefined);
  if (out !== undefined) writeResult(resolve(out), out.endsWith('.json') ? json : text);
  return 0;
}

function readSettings(values) {
  const number = (name) => {
    const value = Number(values[name]);
    if (Number.isFinite(value) && value > 0) return value;
    throw Object.assign(new Error(`--${name} must be a number above 0`), { code: 'ERR_PARSE_ARGS' });
  };
  const items = values.items.split(',').map((text) => {
    if (text === 'sample') return text;
    if (/^[1-9][0-9]{3,9}$/.test(text)) return Number(text);
    throw Object.assign(new Error(`--items: '${text}' is neither 'sample' nor a number from 1000`), {
      code: 'ERR_PARSE_ARGS',
    });
  });
  return {
    items,
    rounds: Math.round(number('rounds')),
    seconds: number('seconds'),
    idleSeconds: number('idle'),
    connections: [8, 32],
    poolSize: 8,
  };
}

/** A result is committed: it says how it was made, not where files of this machine lie. */
function withoutPaths(words) {
  return words.filter((word, index) => {
    const path = /^--(data-dir|out)(=|$)/;
    return !path.test(word) && !/^--(data-dir|out)$/.test(words[index - 1] ?? '');
  });
}
