/**
 * Counting for metrics that every request touches: plain numbers that prom-client reads when it is asked for text. Its
 * own counters hash their labels each time, which for the seven of a question cost more than routing it.
 */
import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Value {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
}

function register(
  registry: Registry,
  type: 'counter' | 'histogram',
  { name, help }: Description,
  values: () => Value[],
): void {
  // What a registry asks of a metric: its name, and what it holds.
  const metric = {
    name,
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: values() }),
  };
  registry.registerMetric(metric as unknown as Metric);
}

export interface Description {
  name: string;
  help: string;
}

/** A number that only grows. */
export class Tally {
  #total = 0;

  constructor(registry: Registry, description: Description) {
    register(registry, 'counter', description, () => [{ labels: {}, value: this.#total }]);
  }

  add(amount: number): void {
    this.#total += amount;
  }
}

/** Tallies by labels; `key` stands for the labels, which are made at its first use. */
export class LabelledTally {
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  constructor(registry: Registry, description: Description) {
    register(registry, 'counter', description, () =>
      [...this.#values.values()].map(({ labels, value }) => ({ labels: { ...labels }, value })),
    );
  }

  add(key: string, labels: () => Labels): void {
    const found = this.#values.get(key);
    if (found) found.value++;
    else this.#values.set(key, { labels: labels(), value: 1 });
  }
}

interface Buckets {
  labels: Labels;
  /** How many fell into each bucket, and beyond the last. */
  counts: number[];
  sum: number;
}

/** How values are spread, by labels; `bounds` are the upper bounds of the buckets, ascending. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #values = new Map<string, Buckets>();

  constructor(registry: Registry, description: Description, bounds: readonly number[]) {
    this.#bounds = bounds;
    register(registry, 'histogram', description, () =>
      [...this.#values.values()].flatMap((buckets) => this.#lines(description.name, buckets)),
    );
  }

  add(value: number, key = '', labels: () => Labels = () => ({})): void {
    let found = this.#values.get(key);
    if (!found) {
      found = { labels: labels(), counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 };
      this.#values.set(key, found);
    }
    let bucket = 0;
    while (value > (this.#bounds[bucket] ?? Infinity)) bucket++;
    found.counts[bucket] = (found.counts[bucket] ?? 0) + 1;
    found.sum += value;
  }

  #lines(name: string, { labels, counts, sum }: Buckets): Value[] {
    let count = 0;
    const buckets = counts.map((inBucket, index) => {
      count += inBucket;
      const bound = this.#bounds[index] ?? '+Inf';
      return { labels: { le: bound, ...labels }, value: count, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels: { ...labels }, value: sum, metricName: `${name}_sum` },
      { labels: { ...labels }, value: count, metricName: `${name}_count` },
    ];
  }
}
