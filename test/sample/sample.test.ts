import { expect, test } from 'vitest';
import { parseDay } from '../../src/days.js';
import { generateItems } from '../../src/sample/generate.js';
import { samplePorts, sampleRegions } from '../../src/sample/places.js';

test('exactly as many items as asked for, within the days asked for', () => {
  for (const items of [0, 1, 92, 93, 94, 1_234]) {
    expect([...generateItems({ items, seed: 3 })]).toHaveLength(items);
  }
  const from = parseDay('2021-01-01') ?? 0;
  const to = parseDay('2021-03-31') ?? 0;
  for (const { day, price, origin, destination } of generateItems({ items: 20_000, seed: 5 })) {
    expect(day >= from && day <= to && price > 0 && Number.isInteger(price) && origin !== destination).toBe(
      true,
    );
  }
});

test('the README’s lane holds three prices on each day of January, whatever the seed', () => {
  for (const seed of [1, 2, 99]) {
    const counts = new Map<number, number>();
    for (const { origin, destination, day } of generateItems({
      items: 100_000,
      seed,
      from: '2020-01-01',
      to: '2022-12-31',
    })) {
      if (origin === 'CNGGZ' && destination === 'EETLL') counts.set(day, (counts.get(day) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 31 }, () => 3));
  }
});

test('trade is skewed: the busiest lane has about one item in a hundred, most have few', () => {
  const counts = new Map<string, number>();
  const total = 400_000;
  for (const { origin, destination } of generateItems({ items: total, seed: 1 })) {
    const lane = `${origin} ${destination}`;
    counts.set(lane, (counts.get(lane) ?? 0) + 1);
  }
  const sorted = [...counts.values()].toSorted((a, b) => b - a);
  expect((sorted[0] ?? 0) / total).toBeGreaterThan(0.005);
  expect((sorted[0] ?? 0) / total).toBeLessThan(0.03);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(total / counts.size);
});

test('the places are an uneven tree, and every port hangs in it', () => {
  const regions = new Map(sampleRegions.map((region) => [region.code, region.parent]));
  const depth = (slug: string | null): number => {
    if (slug === null) return 0;
    expect(regions.has(slug), slug).toBe(true);
    return 1 + depth(regions.get(slug) ?? null);
  };
  const depths = samplePorts.map((port) => depth(port.parent));
  expect(Math.max(...depths)).toBeGreaterThanOrEqual(4);
  expect(Math.min(...depths)).toBe(1);
  expect(new Set(samplePorts.map((port) => port.code)).size).toBe(samplePorts.length);
});
