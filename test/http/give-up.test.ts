import { expect, test } from 'vitest';
import { createKey } from '../../src/access/keys.js';
import { csv, itemsOf, withBatches } from '../support/batches.js';
import { counted, giveUp, left, nothing, opened, publish, put } from '../support/parts.js';

test('who may send but not withdraw gives up an open batch, and cannot touch what is published', () =>
  withBatches(
    async (test) => {
      const { secret } = await createKey(test.database, 'ingest', ['ingest']);
      const sender = { server: test.server, secret };
      const abandon = (id: string) =>
        test.server.inject({
          method: 'DELETE',
          url: `/batches/${id}/parts`,
          headers: { authorization: `Bearer ${secret}` },
        });
      const id = await opened(sender, 'k');
      await put(sender, id, 1, csv(itemsOf(5)));
      expect((await abandon(id)).json()).toMatchObject({ id, state: 'loading' });
      expect(await left(test)).toEqual(nothing);
      expect((await abandon(id)).json()).toMatchObject({ status: 404, code: 'batch_unknown' });
      const second = await opened(sender, 'k');
      await put(sender, second, 1, csv(itemsOf(5)));
      await publish(sender, second, 1, 5);
      expect((await abandon(second)).json()).toMatchObject({ status: 409, code: 'batch_state' });
      expect((await giveUp(sender, second)).statusCode).toBe(403);
      expect(await counted(test.server)).toBe(5);
    },
    { writes: 'keys' },
  ));
