// bench/scale: do questions stay fast whatever the size, the place and the hour? A hundred million items beside a
// million, regions, the past, many lanes at once, and rollups that are behind. The service is the real program.
import { resolve, join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from './support/children.mjs';
import { describeCommit, describeMachine, today } from './support/machine.mjs';
import { fixed, progressLine, table, writeResult } from './support/report.mjs';
import { withFolder } from './support/service.mjs';
import { Scale } from './scale/database.mjs';
import { debtRows, largeRows } from './scale/rows.mjs';

const usage = `npm run bench -- scale [options]
  --large N        items of the large database (100000000)
  --middle N       items of the one that falls behind (10000000)
  --batches N      batches of 50,000 that are published while the roller is held (1000)
  --rounds N       rounds of each comparison (5)
  --seconds N      length of one measurement (2)
  --data-dir PATH  keep the databases there, and use them again
  --json           the whole result as JSON on standard output
  --save           write bench/results/scale-DATE.md; --out PATH another file
`;
const options = {
  large: { type: 'string', default: '100000000' },
  middle: { type: 'string', default: '10000000' },
  batches: { type: 'string', default: '1000' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '2' },
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
  const numbers = ['large', 'middle', 'batches', 'rounds', 'seconds'].map((name) => [
    name,
    Number(values[name]),
  ]);
  const settings = Object.fromEntries(numbers);
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
      await largeRows(context);
      await debtRows(context);
    } finally {
      await client.stop();
    }
  }).finally(() => progress.clear());
  const result = {
    question: 'scale',
    date: today(),
    commit: describeCommit(),
    machine: describeMachine(),
    settings,
    facts,
    rows,
  };
  const text = render(result);
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : text);
  const out = values.out ?? (values.save ? join(results, `scale-${result.date}.md`) : undefined);
  if (out !== undefined) writeResult(resolve(out), text);
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
