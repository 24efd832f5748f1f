/**
 * Sample items: in go a count and a seed, out comes trade as it is skewed: few busy lanes, many quiet ones. The same
 * for the same options, for ever: tests, benchmarks and the README rely on it.
 */
import { dayOf } from '../days.js';
import { samplePorts } from './places.js';

export interface Item {
  origin: string;
  destination: string;
  /** Days since 1970-01-01. */
  day: number;
  price: number;
}

export interface SampleOptions {
  items: number;
  seed: number;
  /** First and last day, YYYY-MM-DD; 2021-01-01 to 2021-03-31 by default. */
  from?: string;
  to?: string;
}

export const defaultSample: SampleOptions = { items: 50_000, seed: 1 };

const dayFrom = (text: string): number => {
  const [year, month, dayOfMonth] = text.split('-').map(Number);
  return dayOf(year ?? 0, month ?? 0, dayOfMonth ?? 0) ?? 0;
};

const exampleOrigin = 'CNGGZ';
const exampleDestination = 'EETLL';
const exampleFrom = dayFrom('2021-01-01');
const exampleDays = 31;
/** Three suppliers; the first changes its price in the middle of the month. */
const examplePrices = (dayIndex: number): readonly number[] => [dayIndex < 15 ? 1_188 : 1_196, 1_094, 1_263];

/** Yields exactly `items` items, quote by quote. The object is used again for the next item: copy what is to be kept. */
export function* generateItems({
  items,
  seed,
  from = '2021-01-01',
  to = '2021-03-31',
}: SampleOptions): Generator<Item> {
  const item: Item = { origin: exampleOrigin, destination: exampleDestination, day: 0, price: 0 };
  let left = items;
  for (let index = 0; index < exampleDays; index++) {
    for (const price of examplePrices(index)) {
      if (left-- <= 0) return;
      item.day = exampleFrom + index;
      item.price = price;
      yield item;
    }
  }
  const random = randomNumbers(seed);
  const lanes = makeLanes(random);
  const firstDay = dayFrom(from);
  const days = dayFrom(to) - firstDay + 1;
  while (left > 0) {
    const lane = lanes.draw(random);
    const length = Math.min(days, 7 + Math.floor(random() * 25));
    const start = firstDay + Math.floor(random() * (days - length + 1));
    let price = Math.max(1, Math.round(lane.price * (0.8 + random() * 0.4)));
    item.origin = lane.origin;
    item.destination = lane.destination;
    for (let day = start; day < start + length && left > 0; day++, left--) {
      // A quote holds for days, then moves a little.
      if (random() < 0.1) price = Math.max(1, price + Math.round((random() - 0.5) * price * 0.04));
      item.day = day;
      item.price = price;
      yield item;
    }
  }
}

interface Lane {
  origin: string;
  destination: string;
  price: number;
}

const laneCount = 3_000;
/** Weight of the lane at a rank is 1 / (rank + shift): the busiest gets about 1 % of the items. */
const shift = 20;

function makeLanes(random: () => number): { draw(random: () => number): Lane } {
  const lanes: Lane[] = [];
  const ends: number[] = [];
  const seen = new Set<string>([`${exampleOrigin} ${exampleDestination}`]);
  let total = 0;
  while (lanes.length < laneCount) {
    const origin = samplePorts[Math.floor(random() * samplePorts.length)]?.code ?? '';
    const destination = samplePorts[Math.floor(random() * samplePorts.length)]?.code ?? '';
    const name = `${origin} ${destination}`;
    if (origin === destination || seen.has(name)) continue;
    seen.add(name);
    total += 1 / (lanes.length + shift);
    ends.push(total);
    lanes.push({ origin, destination, price: 400 + Math.floor(random() * 4_000) });
  }
  return {
    draw: (next) => {
      const mark = next() * total;
      let low = 0;
      let high = lanes.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) < mark) low = middle + 1;
        else high = middle;
      }
      return lanes[low] ?? { origin: '', destination: '', price: 1 };
    },
  };
}

/** Numbers from 0 to below 1. Source: the public-domain generator mulberry32 by Tommy Ettinger. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
