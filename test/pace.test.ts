import { expect, test } from 'vitest';
import { Pace } from '../src/pace.js';

test('at full speed nobody rests, and nothing is booked', () => {
  let now = 1_000_000n;
  const pace = new Pace(Pace.of(100).shared, () => now);
  expect(pace.rest(1_000)).toBe(0);
  expect(pace.within(100).rest(1_000)).toBe(0);
  now += 1_000n;
  pace.percent = 50;
  expect(pace.rest(1)).toBe(1);
});

test('who worked rests so long that the work was the share of both', () => {
  let now = 1_000_000n;
  const pace = new Pace(Pace.of(20).shared, () => now);
  now += 10_000n;
  expect(pace.rest(10)).toBe(40);
  // Who comes back in time owes nothing for the time between.
  now += 500_000n;
  expect(pace.rest(1)).toBe(4);
});

test('threads share one timeline: together they get the share, whoever works', () => {
  const { shared } = Pace.of(25);
  const now = 1_000_000n;
  const [one, other] = [new Pace(shared, () => now), new Pace(shared, () => now)];
  expect(one.rest(10)).toBe(30);
  expect(other.rest(10)).toBe(70);
  expect(one.rest(5)).toBe(90);
});

test('a percent that changes is that of all threads, from their next rest on', () => {
  const { shared } = Pace.of(100);
  let now = 1_000_000n;
  const [one, other] = [new Pace(shared, () => now), new Pace(shared, () => now)];
  expect(other.rest(10)).toBe(0);
  one.percent = 40;
  now += 10_000n;
  expect([other.percent, other.rest(10)]).toEqual([40, 15]);
  one.percent = 100;
  expect([other.fullSpeed, other.rest(10)]).toEqual([true, 0]);
});

test('who rests wakes when the percent changes', async () => {
  const pace = Pace.of(1);
  const resting = pace.pause(3_600_000);
  pace.percent = 100;
  // It would outlast the test.
  expect(await resting).toBeUndefined();
});

test('rests within a bound end there; what was not rested stays booked', () => {
  let now = 1_000_000n;
  const pace = new Pace(Pace.of(10).shared, () => now);
  const rests = pace.within(100);
  expect(rests.rest(10)).toBe(90);
  now += 90_000n;
  expect([rests.rest(10), rests.rest(10)]).toEqual([10, 0]);
  expect(pace.rest(0)).toBe(200);
});
