import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { answers, readmeQuestion, shared } from '../acceptance/support.js';
import { commandsBelow, must, Project } from './support.js';

const projects: Project[] = [];
let first: Project;
afterAll(() => Promise.all(projects.map((project) => project.remove())));

async function named(more: Record<string, string>): Promise<Project> {
  const project = await Project.named(more);
  projects.push(project);
  return project;
}

test('two projects at once share nothing: version, data, passwords, end', async () => {
  first = await named({ FAIRWAY_SEED: 'sample' });
  const second = await named({ FAIRWAY_SEED: 'none', POSTGRES_VERSION: '18' });
  await Promise.all([first.up(), second.up()]);
  expect(await answers(first.url)).toBe(true);
  expect(await answers(second.url)).toBe(false);
  expect(must(await second.short(['psql', '-Atc', 'select count(*) from fairway.batches']))).toBe('0');
  expect(must(await first.short(['password']))).not.toBe(must(await second.short(['password'])));

  // Into the empty one, by the documented command.
  const commands = commandsBelow('docs/operations.md', 'Importing into a running project');
  const dump = join(shared, 'seed', 'rates.sql');
  expect(must(await second.shell(commands.replace('newer.sql', dump)))).toContain('published 56,689 prices');
  const price = async ({ url }: Project): Promise<string> =>
    (await (await fetch(url + readmeQuestion)).text()).slice(0, 70);
  expect(await price(second)).toContain('"price":1154.3333333333333');
  expect(await price(first)).not.toContain('1154');

  must(await second.short(['down', '-v']));
  expect(await second.remains()).toEqual([]);
  expect(await answers(first.url)).toBe(true);
});

test('a dump that is not there, or a seed that is none, stops the start with its name', async () => {
  const missing = await named({ FAIRWAY_DUMP: '/no/such/dump.sql' });
  const outcome = await missing.compose(['up', '--wait', '--no-build']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toContain('/no/such/dump.sql');
  await missing.remove();
  const wrong = await named({ FAIRWAY_SEED: 'rates.sql' });
  expect((await wrong.compose(['up', '--wait'])).code).not.toBe(0);
  expect(must(await wrong.compose(['logs', '--no-color', 'migrate']))).toContain(
    "FAIRWAY_SEED: 'rates.sql' is neither sample nor none; name a dump with FAIRWAY_DUMP instead",
  );
});

test('the command line works inside, as it does outside', async () => {
  const words = ['rates', 'CNGGZ', 'EETLL', '--from', '2021-01-01', '--to', '2021-01-31', '--csv'];
  const outcome = await first.compose(['exec', '-T', 'service', 'fairway', ...words]);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(outcome.stdout.split('\n')).toHaveLength(33);
});
