import { expect, test } from 'vitest';
import { csv, itemsOf, withBatches } from '../support/batches.js';

const question = '/rates?date_from=2022-01-01&date_to=2022-01-01&orig_code=AAAAA&dest_code=BBBBB';

test('a batch is published with its revision, and rates have it at once', () =>
  withBatches(async ({ server, post }) => {
    const answer = await post(csv(itemsOf(3, 120)));
    expect(answer.json()).toMatchObject({
      state: 'published',
      items: 3,
      lanes: 1,
      revision: 2,
      key: null,
      errors: 0,
      error_counts: {},
    });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['rates-revision']).toBe('2');
    const rates = await server.inject({ url: question });
    expect(rates.json()).toEqual({ rates: [{ count: 3, day: '2022-01-01', price: 120 }] });
    expect((await server.inject({ url: answer.headers.location as string })).json()).toEqual(answer.json());
  }));
