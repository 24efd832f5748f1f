import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, packageRoot } from '../../src/config.js';
import { namedDatabase } from '../../src/database/connection.js';

const named = (env: NodeJS.ProcessEnv) =>
  namedDatabase(loadConfig({ env, root: packageRoot, cwd: '/' }).config, env, '/');

test('no variable that names a database means the embedded one', () => {
  expect(named({})).toBeUndefined();
  expect(named({ PGUSER: 'me', PGPASSWORD: 'x' })).toBeUndefined();
});

test('PGHOSTADDR goes over PGHOST, DATABASE_URL over both', () => {
  expect(named({ PGHOST: 'db.example', PGPORT: '5433', PGUSER: 'me' })).toEqual({
    host: 'db.example',
    port: 5433,
    user: 'me',
  });
  expect(named({ PGHOST: 'db.example', PGHOSTADDR: '10.1.2.3' })).toEqual({ host: '10.1.2.3' });
  expect(named({ DATABASE_URL: 'postgresql://a@b/c', PGHOST: 'x', PGPASSWORD: 'p' })).toEqual({
    connectionString: 'postgresql://a@b/c',
    password: 'p',
  });
});

test('a service is read from its file, section by section', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-service-'));
  try {
    const file = join(folder, 'services');
    writeFileSync(
      file,
      '# ours\n[other]\nhost=wrong\n\n[rates]\nhost = db.example\nport=6543\ndbname=r\nuser=u\npassword=p=q\n[last]\nhost=wrong\n',
    );
    expect(named({ PGSERVICE: 'rates', PGSERVICEFILE: file })).toEqual({
      host: 'db.example',
      port: 6543,
      database: 'r',
      user: 'u',
      password: 'p=q',
    });
    expect(() => named({ PGSERVICE: 'absent', PGSERVICEFILE: file })).toThrow(/no service 'absent'/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('several hosts are refused, not misread', () => {
  expect(() => named({ PGHOST: 'a,b', PGPORT: '1,2' })).toThrow(/PGPORT: '1,2'/);
});
