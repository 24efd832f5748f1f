/** From PostgreSQL 13 to 18 by the commands of docs/operations.md, in a copy of what compose needs. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, root, until } from '../acceptance/support.js';
import { commandsBelow, docker, must, Project } from './support.js';

const everyItem =
  "select count(*), md5(string_agg(i::text, ',' order by i::text)), (select revision from fairway.head) from fairway.items i";

test('PostgreSQL 13 becomes 18 by the documented commands; the old data is left for the way back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-upgrade-'));
  cpSync(join(root, 'compose.yaml'), join(folder, 'compose.yaml'));
  cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true });
  const project = await Project.named({}, folder);
  const sql = async (text: string): Promise<string> =>
    must(
      await project.compose([
        'exec',
        '-T',
        'postgres',
        'psql',
        '-U',
        'postgres',
        '-d',
        'rates',
        '-Atc',
        text,
      ]),
    );
  const version = "select current_setting('server_version_num')::int / 10000";
  try {
    await project.up();
    expect(await sql(version)).toBe('13');
    const before = await sql(everyItem);

    // Without the steps, the new version refuses the old volume and harms nothing.
    const rash = { cwd: folder, env: { ...project.env, POSTGRES_VERSION: '18' } };
    must(await docker(['compose', 'up', '--detach', 'postgres'], rash));
    const refused = 'database files are incompatible with server';
    const log = async (): Promise<string> => must(await project.compose(['logs', '--no-color', 'postgres']));
    await until(async () => (await log()).includes(refused), 30_000, 'the old volume is refused');
    await project.up();
    expect(await sql(everyItem)).toBe(before);

    must(await project.shell(commandsBelow('docs/operations.md', 'Dump and restore')));
    expect(await sql(version)).toBe('18');
    expect(await sql(everyItem)).toBe(before);
    expect(await answers(project.url)).toBe(true);
    const rights = "select has_table_privilege('fairway_service', 'fairway.segments', 'TRUNCATE')";
    expect(await sql(rights)).toBe('f');
    expect(must(await project.compose(['logs', '--no-color', 'migrate']))).not.toContain('loaded');

    expect(await project.remains()).toContain(`volume ${project.name}_data`);
    must(await project.shell(commandsBelow('docs/operations.md', 'Removing the old data')));
    expect(await project.remains()).not.toContain(`volume ${project.name}_data`);
    expect(await answers(project.url)).toBe(true);
  } finally {
    await project.remove();
    rmSync(folder, { recursive: true });
  }
  expect(await project.remains()).toEqual([]);
});
