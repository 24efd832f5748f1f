/** Ids of lanes, kept for one revision. */
import { expect, test } from 'vitest';
import { LaneIds } from '../../src/query/many/lane-ids.js';

test('ids are known at the revision they were seen at, and at no other', () => {
  const ids = new LaneIds();
  ids.learn(3, 'A', 'B', 7);
  ids.learn(3, 'A', 'C', 8);
  expect([ids.get(3, 'A', 'B'), ids.get(3, 'A', 'C'), ids.get(3, 'B', 'A')]).toEqual([7, 8, undefined]);
  expect([ids.get(2, 'A', 'B'), ids.get(4, 'A', 'B')]).toEqual([undefined, undefined]);
  ids.learn(2, 'B', 'A', 9);
  expect([ids.get(2, 'B', 'A'), ids.get(3, 'A', 'B')]).toEqual([undefined, 7]);
  ids.learn(4, 'B', 'A', 9);
  expect([ids.get(3, 'A', 'B'), ids.get(4, 'A', 'B'), ids.get(4, 'B', 'A')]).toEqual([
    undefined,
    undefined,
    9,
  ]);
});
