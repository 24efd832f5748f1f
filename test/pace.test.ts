import { expect, test } from 'vitest';
import { Pace, paceOf, type SharedPace } from '../src/pace.js';

const sharedOf = (percent: number): SharedPace => ({ percent, timeline: new SharedArrayBuffer(8) });

test('full speed has no pace', () => {
  expect(paceOf(100)).toBeUndefined();
  expect(paceOf(99)?.shared.percent).toBe(99);
});

test('who worked rests so long that the work was the share of both', () => {
  let now = 1_000_000n;
  const pace = new Pace(sharedOf(20), () => now);
  now += 10_000n;
  expect(pace.rest(10)).toBe(40);
  // Who comes back in time owes nothing for the time between.
  now += 500_000n;
  expect(pace.rest(1)).toBe(4);
});

test('threads share one timeline: together they get the share, whoever works', () => {
  const shared = sharedOf(25);
  const now = 1_000_000n;
  const [one, other] = [new Pace(shared, () => now), new Pace(shared, () => now)];
  expect(one.rest(10)).toBe(30);
  expect(other.rest(10)).toBe(70);
  expect(one.rest(5)).toBe(90);
});

test('rests within a bound end there; what was not rested stays booked', () => {
  let now = 1_000_000n;
  const pace = new Pace(sharedOf(10), () => now);
  const rests = pace.within(100);
  expect(rests.rest(10)).toBe(90);
  now += 90_000n;
  expect([rests.rest(10), rests.rest(10)]).toEqual([10, 0]);
  expect(pace.rest(0)).toBe(200);
});
