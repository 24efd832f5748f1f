/** Metrics of the rollups' debt, read when they are asked for: what was published or withdrawn since the rollups. */
import { Gauge, type Registry } from 'prom-client';

export interface Debt {
  revisions: number;
  batches: number;
  items: number;
}

export interface DebtOptions {
  /** Asks the database, once for all who ask at a time; rejects where it does not answer. */
  debt: () => Promise<Debt>;
}

/** Where the database does not answer, they say what it said last. */
export function debtGauges(registry: Registry, { debt }: DebtOptions): void {
  const gauge = (name: string, help: string, value: (debt: Debt) => number): void =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        async collect() {
          const now = await debt().catch(() => undefined);
          if (now) this.set(value(now));
        },
      }),
    );
  gauge('fairway_rollup_debt_batches', 'Batches that wait to be rolled up', ({ batches }) => batches);
  gauge('fairway_rollup_debt_items', 'Items of them', ({ items }) => items);
  gauge('fairway_rollup_debt_revisions', 'Revisions that rollups are behind', ({ revisions }) => revisions);
}
