import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readmeQuestion, root, until } from '../acceptance/support.js';
import { commandsBelow, docker, must, Project } from './support.js';

const rules = readFileSync(join(root, 'deploy', 'monitoring', 'alerts.yml'), 'utf8');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map((match) => match[1] ?? '');
const mount = ['--volume', `${join(root, 'deploy', 'monitoring')}:/rules:ro`];
const image = 'prom/prometheus:v2.53.3';

let project: Project | undefined;
afterAll(() => project?.remove());

test('the rules do what their tests say, by the documented command, and the configuration is valid', async () => {
  const idle = await Project.named();
  expect(must(await idle.shell(commandsBelow('docs/operations.md', 'Alerts')))).toContain('SUCCESS');
  const check = ['run', '--rm', '--entrypoint', 'promtool', ...mount, image, 'check'];
  must(await docker([...check, 'config', '/rules/prometheus.yml']));
});

test('each alert is tested, and leads to a heading that says what to do', () => {
  const operations = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  const tests = readFileSync(join(root, 'deploy', 'monitoring', 'alerts.test.yml'), 'utf8');
  expect(alerts.length).toBeGreaterThanOrEqual(4);
  for (const alert of alerts) {
    expect(operations).toMatch(new RegExp(`^### ${alert}$`, 'm'));
    expect(rules).toContain(`runbook: docs/operations.md#${alert.toLowerCase()}\n`);
    expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+eval_time: .*\\n\\s+exp_alerts:\\n`));
  }
});

test('the profile scrapes the service, knows the rules, and sees when the database and the service go', async () => {
  project = await Project.named({ COMPOSE_PROFILES: 'monitoring', FAIRWAY_SEED: 'none' });
  await project.up();
  const { prometheusUrl } = project;
  const ask = async <Data>(path: string): Promise<Data> =>
    ((await (await fetch(`${prometheusUrl}/api/v1/${path}`)).json()) as { data: Data }).data;
  const value = async (query: string): Promise<string | undefined> => {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(query)}`,
    );
    return result[0]?.value[1];
  };
  const pending = async (alert: string): Promise<boolean> => {
    const { alerts: now } = await ask<{ alerts: { labels: { alertname: string } }[] }>('alerts');
    return now.some(({ labels }) => labels.alertname === alert);
  };
  const loaded = await ask<{ groups: { rules: { name: string; health: string }[] }[] }>('rules');
  expect(loaded.groups.flatMap((group) => group.rules.map((rule) => rule.name))).toEqual(alerts);
  await until(async () => (await value('up{job="fairway"}')) === '1', 30_000, 'it is scraped');
  await until(async () => (await value('fairway_database_up')) === '1', 30_000, 'the database is seen');
  await until(async () => !(await pending('FairwayNotReachable')), 30_000, 'nothing is missed');
  // Each metric the rules speak of is one the service has, under that very name.
  expect((await fetch(project.url + readmeQuestion)).status).toBe(200);
  const metrics = await (await fetch(`${project.url}/metrics`)).text();
  const named = new Set([...rules.matchAll(/\b(fairway_|nodejs_)\w+/g)].map(([name]) => name));
  expect(named.size).toBeGreaterThanOrEqual(5);
  for (const name of named) expect(metrics).toMatch(new RegExp(`^${name}[ {]`, 'm'));
  expect(metrics).toMatch(
    /^fairway_http_request_duration_seconds_bucket\{(?=.*le="0.25")(?=.*route="\/rates")/m,
  );
  expect(metrics).toMatch(/^fairway_http_requests_total\{(?=.*status="200")/m);
  must(await project.compose(['stop', 'postgres']));
  await until(() => pending('FairwayDatabaseAway'), 30_000, 'the database is missed');
  must(await project.compose(['stop', 'service']));
  await until(() => pending('FairwayNotReachable'), 30_000, 'the service is missed');
  // What `down` alone would overlook is taken away by the short word.
  must(await project.short(['down', '-v'], { COMPOSE_PROFILES: '' }));
  expect(await project.remains()).toEqual([]);
});
