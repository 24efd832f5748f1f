// One data set of bench/read: fill the database, start the service and its peers, check that they say the same,
// measure them in turn, read the service's memory.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { residentMegabytes, startChild } from '../support/children.mjs';
import { countItems, fillRollup, listQuestions, pathOf, readmeQuestion } from '../support/items.mjs';
import { databaseOf, importSample, startService } from '../support/service.mjs';
import { answerOf, checkListedAnswers, checkReadmeAnswer } from './answers.mjs';
import { measureAll } from './measure.mjs';
import { measurePublishing } from './publishing.mjs';

/** No peer answers first-time questions faster than this; so many are prepared for each second. */
const mostFirstTimePerSecond = 15_000;

export async function measureDataset({ root, folder, dataDir, items, client, settings, progress }) {
  mkdirSync(dataDir, { recursive: true });
  if (items !== 'sample' && !existsSync(join(dataDir, 'postgres.json'))) {
    progress.show(`importing ${items} items…`);
    await importSample({ root, dataDir, items });
  }
  progress.show('starting the service…');
  const started = [];
  const start = async (kind, promise) => {
    const child = await promise;
    started.push(child);
    return { kind, ...child, url: child.url ?? child.ready.url };
  };
  const log = (level) => join(folder, `${items}-${level}.log`);
  const service = (level, more = {}, name = level) =>
    startService({ root, dataDir, level, log: log(name), more });
  try {
    const info = await start('service', service('info'));
    await delay(settings.idleSeconds * 1_000);
    const memory = { started: residentMegabytes(info.pid) };
    const warn = await start('service-warn', service('warn'));
    const cold = await start('service-cold', service('info', { FAIRWAY_CACHE_MB: '0' }, 'cold'));
    progress.show('filling the rollup of peer (b), listing questions…');
    const connection = databaseOf(dataDir);
    const prepared = await prepareItems(connection, settings);
    const readme = await answerOf(info.url + pathOf(readmeQuestion));
    const module = (name) => join(root, 'bench', 'peers', `${name}.mjs`);
    const rollup = await start(
      'rollup',
      startChild(module('rollup-rows'), { connection, poolSize: settings.poolSize }),
    );
    const bare = await start('bare', startChild(module('bare-http'), readme));
    const peers = { info, warn, cold, rollup, bare };
    await checkReadmeAnswer(peers);
    const cases = await measureAll({ peers, questions: prepared.questions, client, settings, progress });
    progress.show('resting…');
    await checkListedAnswers(peers, prepared.questions);
    await delay(settings.idleSeconds * 1_000);
    memory.afterLoad = residentMegabytes(info.pid);
    const headers = {
      service: readme.headers,
      rollup: (await answerOf(rollup.url + pathOf(readmeQuestion))).headers,
      bare: (await answerOf(bare.url)).headers,
    };
    // Other processes would roll up as well.
    for (const child of started.splice(0).toReversed()) await child.stop();
    return {
      name: items === 'sample' ? 'the sample' : `${items.toLocaleString('en-US')} items`,
      ...prepared.described,
      headers,
      bodyBytes: Buffer.byteLength(readme.body),
      memory,
      cases,
      publishing: await measurePublishing({ root, folder, dataDir, client, settings, progress }),
    };
  } finally {
    for (const child of started.toReversed()) await child.stop();
  }
}

/** The rollup of peer (b), the list of questions, and a description of both. */
async function prepareItems(connection, settings) {
  const database = new pg.Client(connection);
  await database.connect();
  try {
    await fillRollup(database);
    const { rows } = await database.query('show server_version');
    const slices = settings.rounds * settings.connections.length;
    const wanted = Math.ceil(slices * settings.seconds * mostFirstTimePerSecond);
    const questions = await listQuestions(database, wanted);
    const mean = (key) => questions.reduce((sum, each) => sum + each[key], 0) / questions.length;
    const lanes = new Set(questions.map(({ origin, destination }) => `${origin} ${destination}`)).size;
    const described = {
      postgres: rows[0].server_version,
      ...(await countItems(database)),
      questions: { count: questions.length, lanes, pricedDays: mean('days'), items: mean('items') },
    };
    return { questions, described };
  } finally {
    await database.end();
  }
}
