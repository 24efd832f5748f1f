/** The tree of places is read once for all who ask for it: those who leave take nothing from those who stay. */
import { expect, test } from 'vitest';
import { PlaceSource } from '../../src/query/place-source.js';
import { withPostgresProxy } from '../support/postgres-proxy.js';
import { withDump } from '../support/answers.js';

test.each(['now', 'past'])(
  'who asks together with somebody who leaves is answered: the tree of %s',
  (which) =>
    withDump((test) =>
      withPostgresProxy(test, async (proxy) => {
        const source = new PlaceSource(proxy.database);
        await proxy.database.read({ text: 'select 1' });
        const read = (options: { signal?: AbortSignal }) =>
          which === 'now' ? source.known(options) : source.at(1, options);
        const gone = new AbortController();
        proxy.hold();
        const first = read({ signal: gone.signal });
        const second = read({});
        await new Promise(setImmediate);
        gone.abort(new Error('gone'));
        proxy.release();
        await first.catch(() => undefined);
        expect((await second).ports.size).toBeGreaterThan(0);
      }),
    ),
);
