import { expect, test } from 'vitest';
import { authenticate, createKey, listKeys, revokeKey } from '../../src/access/keys.js';
import { withDatabase } from '../support/database.js';

test('a key is shown once, kept as a hash, and lets in who bears it until it is revoked', () =>
  withDatabase(async ({ database, query }) => {
    const { key, secret } = await createKey(database, 'Acme', ['ingest']);
    expect(secret).toMatch(/^fairway_[A-Za-z0-9_-]{43}$/);
    const rows = await query('select keys::text as everything from fairway.keys');
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(await authenticate(database, `Bearer ${secret}`, ['ingest'], {})).toMatchObject({ name: 'Acme' });
    await expect(authenticate(database, `Bearer ${secret}`, ['withdraw'], {})).rejects.toMatchObject({
      code: 'forbidden',
    });
    await revokeKey(database, key.id);
    const revoked = (await listKeys(database))[0]?.revokedAt;
    expect(revoked).toBeInstanceOf(Date);
    await revokeKey(database, key.id);
    expect((await listKeys(database))[0]?.revokedAt).toEqual(revoked);
    await expect(authenticate(database, `Bearer ${secret}`, ['ingest'], {})).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  }));

test('admin may do everything; no key, half a key and another key are refused', () =>
  withDatabase(async ({ database }) => {
    const { secret } = await createKey(database, 'operator', ['admin']);
    expect(await authenticate(database, `bearer ${secret}`, ['withdraw'], {})).toMatchObject({ id: '1' });
    for (const bad of [
      undefined,
      '',
      secret,
      `Basic ${secret}`,
      `Bearer ${secret.slice(1)}`,
      'Bearer x y',
      'Bearer ',
    ])
      await expect(authenticate(database, bad, ['admin'], {}), String(bad)).rejects.toMatchObject({
        code: 'unauthenticated',
      });
    await expect(revokeKey(database, '7')).rejects.toMatchObject({ code: 'key_unknown' });
    await expect(revokeKey(database, 'x')).rejects.toMatchObject({ code: 'key_unknown' });
  }));
