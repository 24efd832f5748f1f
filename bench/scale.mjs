// bench/scale: do questions stay fast whatever the size, the place and the hour? A hundred million items beside a
// million, regions, the past, many lanes at once, and rollups that are behind. The service is the real program.
import { resolve, join } from 'node:path';
import { startChild } from './support/children.mjs';
import { describeRun, numberOf, readOptions, tell, wrongUse } from './support/options.mjs';
import { fixed, progressLine, table } from './support/report.mjs';
import { withFolder } from './support/service.mjs';
import { Scale } from './scale/database.mjs';
import { debtRows, largeRows } from './scale/rows.mjs';

const usage = `npm run bench -- scale [options]
  --large N        items of the large database (100000000)
  --middle N       items of the one that falls behind (10000000)
  --batches N      batches of 50,000 that are published while the roller is held (1000)
  --only WHICH     large or debt: the rows of that database alone
  --rounds N       rounds of each comparison (5)
  --seconds N      length of one measurement (2)
  --data-dir PATH  keep the databases there, and use them again
  --json           the whole result as JSON on standard output
  --save           write bench/results/scale-DATE.md; --out PATH another file
`;
const defaults = {
  large: '100000000',
  middle: '10000000',
  batches: '1000',
  rounds: '5',
  seconds: '2',
  only: undefined,
  'data-dir': undefined,
};

const groups = { large: largeRows, debt: debtRows };

export async function run(words, { root, results }) {
  const values = readOptions(words, usage, defaults);
  if (values === undefined) return 0;
  const names = ['large', 'middle', 'batches', 'rounds', 'seconds'];
  const settings = Object.fromEntries(names.map((name) => [name, numberOf(values, name)]));
  if (values.only !== undefined && !Object.hasOwn(groups, values.only))
    throw wrongUse(`--only: '${values.only}' is neither large nor debt`);
  const progress = progressLine();
  const rows = [];
  const facts = [];
  await withFolder(async (folder) => {
    const client = await startChild(join(root, 'bench', 'support', 'client.mjs'), {});
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void client.stop());
    const kept = resolve(values['data-dir'] ?? folder);
    const open = (name) => new Scale({ root, folder, dataDir: join(kept, name), progress });
    const context = { open, client, settings, progress, rows, facts };
    try {
      for (const [name, measure] of Object.entries(groups))
        if (name === (values.only ?? name)) await measure(context);
    } finally {
      await client.stop();
    }
  }).finally(() => progress.clear());
  tell({ ...describeRun('scale', words), settings, facts, rows }, render, values, results);
  return 0;
}

function render({ date, commit, machine, settings, facts, rows }) {
  const lines = rows.map(({ name, against, ratio, limit, least, detail }) => [
    name,
    against,
    `${least ? 'at least' : 'at most'} ${limit}`,
    fixed(ratio),
    (least ? ratio >= limit : ratio <= limit) ? 'yes' : 'no',
    detail,
  ]);
  return `# bench/scale, ${date}

How it is measured: [bench/README.md](../README.md).

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; ${machine.kernel}; Node ${machine.node}
- Commit: ${commit}
- ${settings.rounds} rounds of ${settings.seconds} s, interleaved; the ratio is the median of each round's
${facts.map((fact) => `- ${fact}`).join('\n')}

${table(['case', 'against', 'goal', 'ratio', 'met', 'medians'], lines)}
`;
}
