// bench/ingest: how fast does a batch become visible, beside COPY on the same server, and what does it cost? The service
// is the real program; the rows of the table are measured in turn in one run, peers interleaved within a row.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderIngest } from './ingest/render.mjs';
import { rows } from './ingest/rows.mjs';
import { withSetting } from './ingest/setting.mjs';
import { describeRun, numberOf, readOptions, tell, wrongUse } from './support/options.mjs';
import { progressLine } from './support/report.mjs';
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

const defaults = {
  rows: Object.keys(rows).join(','),
  scale: '1',
  rounds: '3',
  files: undefined,
  'plain-copy': false,
};

export async function run(words, { root, results }) {
  const values = readOptions(words, usage, defaults);
  if (values === undefined) return 0;
  const settings = readSettings(values);
  const result = { ...describeRun('ingest', words), settings, rows: [] };
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
  tell(result, renderIngest, values, results);
  return 0;
}

function readSettings(values) {
  const wanted = values.rows.split(',');
  for (const name of wanted)
    if (!Object.hasOwn(rows, name)) throw wrongUse(`--rows: there is no row '${name}'`);
  return {
    rows: Object.keys(rows).filter((name) => wanted.includes(name)),
    scale: numberOf(values, 'scale'),
    rounds: Math.round(numberOf(values, 'rounds')),
    plainCopy: values['plain-copy'],
  };
}
