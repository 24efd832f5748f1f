// bench/ingest: how fast does a batch become visible, beside COPY on the same server, and what does it cost? The service
// is the real program; the rows of the table are measured in turn in one run, peers interleaved within a row.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { renderIngest } from './ingest/render.mjs';
import { rows } from './ingest/rows.mjs';
import { withSetting } from './ingest/setting.mjs';
import { describeCommit, describeMachine, today } from './support/machine.mjs';
import { progressLine, writeResult } from './support/report.mjs';
import { withFolder } from './support/service.mjs';

const usage = `npm run bench -- ingest [options]
  --rows LIST      rows to measure, with commas: ${Object.keys(rows).join(', ')} (all)
  --scale NUMBER   all sizes times this; 0.01 is a look (1)
  --rounds N       rounds, each with every peer once (3)
  --files PATH     keep the generated files there and use them again
  --plain-copy     COPY through pg-copy-streams even where psql is found
  --json           the whole result as JSON on standard output
  --save           write bench/results/ingest-DATE.md; --out PATH another file (.json: as JSON)
`;

const options = {
  rows: { type: 'string', default: Object.keys(rows).join(',') },
  scale: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '3' },
  files: { type: 'string' },
  'plain-copy': { type: 'boolean', default: false },
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
    question: 'ingest',
    date: today(),
    commit: describeCommit(),
    command: ['npm run bench --', 'ingest', ...withoutPaths(words)].join(' '),
    machine: describeMachine(),
    settings,
    rows: [],
  };
  const begun = performance.now();
  const progress = progressLine();
  try {
    await withFolder(async (folder) => {
      const filesFolder = resolve(values.files ?? join(folder, 'files'));
      mkdirSync(filesFolder, { recursive: true });
      await withSetting({ root, folder, filesFolder, settings, progress }, async (bench) => {
        result.server = await bench.database.settings();
        result.copy = bench.copier.ready.program;
        for (const name of settings.rows) result.rows.push(...(await rows[name](bench)));
      });
    });
  } finally {
    progress.clear();
  }
  result.minutes = (performance.now() - begun) / 60_000;
  const text = renderIngest(result);
  const json = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(values.json ? json : text);
  const out = values.out ?? (values.save ? join(results, `ingest-${result.date}.md`) : undefined);
  if (out !== undefined) writeResult(resolve(out), out.endsWith('.json') ? json : text);
  return 0;
}

function readSettings(values) {
  const wrong = (text) => Object.assign(new Error(text), { code: 'ERR_PARSE_ARGS' });
  const number = (name) => {
    const value = Number(values[name]);
    if (Number.isFinite(value) && value > 0) return value;
    throw wrong(`--${name} must be a number above 0`);
  };
  const wanted = values.rows.split(',');
  for (const name of wanted) if (!Object.hasOwn(rows, name)) throw wrong(`--rows: there is no row '${name}'`);
  return {
    rows: Object.keys(rows).filter((name) => wanted.includes(name)),
    scale: number('scale'),
    rounds: Math.round(number('rounds')),
    plainCopy: values['plain-copy'],
  };
}

/** A result is committed: it says how it was made, not where files of this machine lie. */
function withoutPaths(words) {
  return words.filter(
    (word, index) => !/^--(files|out)(=|$)/.test(word) && !/^--(files|out)$/.test(words[index - 1] ?? ''),
  );
}
