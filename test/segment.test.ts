import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maximumPayloadBytes, segmentFormat, unpackItems } from '../src/segment.js';
import { PackingSpace, PartPacker, type Segment } from '../src/ingest/pack.js';

const anyItem = fc.record({
  lane: fc.integer({ min: 0, max: 3 }),
  day: fc.oneof(fc.integer({ min: 18_600, max: 18_700 }), fc.integer({ min: 0, max: 32_506 })),
  price: fc.oneof(fc.integer({ min: 900, max: 1_200 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
});
type Item = { lane: number; day: number; price: number };

const byValue = (a: Item, b: Item): number => a.lane - b.lane || a.day - b.day || a.price - b.price;

/** Each payload is valid until the next segment. */
const kept = (segments: Iterable<Segment>): Segment[] =>
  Array.from(segments, (segment) => ({ ...segment, payload: Buffer.from(segment.payload) }));

function pack(items: readonly Item[]): Segment[] {
  const packer = new PartPacker();
  for (const { lane, day, price } of items) packer.add(lane, day, price);
  return kept(packer.drain(4));
}

function unpack(segments: readonly Segment[]): Item[] {
  const items: Item[] = [];
  for (const { lane, firstDay, payload } of segments) {
    unpackItems(segmentFormat, payload, (offset, price) =>
      items.push({ lane, day: firstDay + offset, price }),
    );
  }
  return items;
}

test('what is packed comes back: the same items, duplicates included, whatever their order', () => {
  fc.assert(
    fc.property(fc.array(anyItem, { maxLength: 2_000 }), (items) => {
      expect(unpack(pack(items))).toEqual(items.toSorted(byValue));
    }),
    { numRuns: 200 },
  );
});

test('of a range of days those items come back, and no others', () => {
  const range = fc.tuple(fc.integer({ min: -100, max: 33_000 }), fc.integer({ min: 0, max: 200 }));
  fc.assert(
    fc.property(fc.array(anyItem, { maxLength: 500 }), range, (items, [from, more]) => {
      const found: Item[] = [];
      for (const { lane, firstDay, payload } of pack(items)) {
        const visit = (offset: number, price: number): unknown =>
          found.push({ lane, day: firstDay + offset, price });
        unpackItems(segmentFormat, payload, visit, from - firstDay, from + more - firstDay);
      }
      const within = items.filter(({ day }) => day >= from && day <= from + more);
      expect(found).toEqual(within.toSorted(byValue));
    }),
    { numRuns: 300 },
  );
});

test('packers that share their space do not mix, over many blocks, emptied and filled again', () => {
  const space = new PackingSpace();
  const packers = [new PartPacker(space), new PartPacker(space), new PartPacker(space)];
  const count = 150_000;
  // Each has days of its own; what one gives back, the others fill.
  const add = (packer: number, items: number): void => {
    for (let index = 0; index < items; index++)
      packers[packer]?.add(index % 3, packer * 1_000 + (index % 100), 1 + ((index * 7) % 1_000));
  };
  const drained = (packer: number): Item[] => unpack(kept(packers[packer]?.drain(3) ?? []));
  for (let round = 0; round < 3; round++) {
    add(round, count);
    add((round + 1) % 3, 5);
    expect(packers[round]?.size).toBe(count + (round === 0 ? 0 : 5));
    packers[(round + 2) % 3]?.clear();
    const items = drained(round);
    expect(items.length).toBe(count + (round === 0 ? 0 : 5));
    expect(new Set(items.map((item) => Math.floor(item.day / 1_000)))).toEqual(new Set([round]));
    expect(items.reduce((sum, item) => sum + item.price, 0)).toBe(
      pricesOf(count) + (round === 0 ? 0 : pricesOf(5)),
    );
    expect(packers[round]?.size).toBe(0);
  }
});

function pricesOf(items: number): number {
  let sum = 0;
  for (let index = 0; index < items; index++) sum += 1 + ((index * 7) % 1_000);
  return sum;
}

test('a segment says the truth about itself and stays below the TOAST threshold', () => {
  fc.assert(
    fc.property(fc.array(anyItem, { minLength: 1, maxLength: 5_000 }), (items) => {
      for (const segment of pack(items)) {
        const inside = unpack([segment]);
        expect(inside.length).toBe(segment.items);
        expect(Math.min(...inside.map((item) => item.day))).toBe(segment.firstDay);
        expect(Math.max(...inside.map((item) => item.day))).toBe(segment.lastDay);
        expect(segment.payload.length).toBeLessThanOrEqual(maximumPayloadBytes + 6);
      }
    }),
    { numRuns: 100 },
  );
});

test('a busy lane is cut at the end of a month', () => {
  const items = Array.from({ length: 59 * 20 }, (_, index) => ({
    lane: 0,
    day: 18_628 + Math.floor(index / 20),
    price: 1_000 + (index % 20),
  }));
  const segments = pack(items);
  expect(segments.some((segment) => segment.lastDay === 18_628 + 30)).toBe(true);
});

test('an unknown format is refused, not misread', () => {
  expect(() => unpackItems(2, Buffer.alloc(20), () => undefined)).toThrow(/format 2/);
});
