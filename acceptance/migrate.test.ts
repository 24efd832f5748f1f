import { expect, test } from 'vitest';
import { run, withFolder } from './support.js';

test('migrate fills only what it is told to fill, once, and makes the service’s role', () =>
  withFolder(async (data) => {
    const migrate = (words: string[], more: Record<string, string> = {}) =>
      run(['migrate', '--json', ...words], { FAIRWAY_DATA_DIR: data, ...more });
    const plain = await migrate([]);
    expect(JSON.parse(plain.stdout)).toMatchObject({ seeded: null, role: null });
    const role = {
      FAIRWAY_SERVICE_ROLE: 'service',
      FAIRWAY_SERVICE_PASSWORD: 'known to nobody else'.replaceAll(' ', '-'),
    };
    const first = await migrate([], { ...role, FAIRWAY_SEED: 'sample' });
    expect(JSON.parse(first.stdout)).toMatchObject({
      applied: [],
      seeded: { items: 50_000, revision: 1 },
      role: 'service',
    });
    const again = await migrate(['--seed', 'sample'], role);
    expect(JSON.parse(again.stdout)).toMatchObject({ seeded: null, role: 'service' });
    expect(again.stderr).toBe('');
  }));

test('a service password without a role, or one nobody could type, ends with 2 and is not repeated', async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ FAIRWAY_SERVICE_PASSWORD: 'hushhush' }, /FAIRWAY_SERVICE_PASSWORD: there is no FAIRWAY_SERVICE_ROLE/],
    [{ FAIRWAY_SERVICE_PASSWORD: 'hush hush' }, /FAIRWAY_SERVICE_PASSWORD: it may hold/],
    [{ FAIRWAY_SERVICE_ROLE: 'Rôle' }, /FAIRWAY_SERVICE_ROLE: 'Rôle' is not a role's name/],
  ];
  for (const [env, message] of cases) {
    const outcome = await run(['migrate'], env);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).not.toContain('hush');
  }
  const shown = await run(['config'], { FAIRWAY_SERVICE_PASSWORD: 'hushhush' });
  expect(shown.stdout).not.toContain('hush');
});
