/** What the database takes up, and what of it waits to be purged: in goes a database, out come sizes in bytes. */
import type { Database, ReadOptions } from '../../database/database.js';
import { history, storage, type HistoryRow, type StorageRow } from './sql.js';

export interface Storage {
  databaseBytes: number;
  /** By table, with its indexes. */
  tableBytes: ReadonlyMap<string, number>;
  /** The oldest revision that can still be asked about. */
  historyFrom: number;
  /** Withdrawn and not yet purged, whether their time has come or not. */
  waiting: { batches: number; items: number; /** About: by the size of an average item. */ bytes: number };
}

export async function readStorage(database: Database, options: ReadOptions = {}): Promise<Storage> {
  const sizes = await database.read<StorageRow>(storage, options);
  const [kept] = await database.read<HistoryRow>(history, options);
  const tableBytes = new Map<string, number>();
  let databaseBytes = 0;
  for (const { table, bytes } of sizes) {
    if (table === null) databaseBytes = Number(bytes);
    else tableBytes.set(table, Number(bytes));
  }
  const items = Number(kept?.items ?? 0);
  const share = items / Math.max(1, Number(kept?.all_items ?? 0));
  return {
    databaseBytes,
    tableBytes,
    historyFrom: Number(kept?.history_from ?? 0),
    waiting: {
      batches: Number(kept?.batches ?? 0),
      items,
      bytes: Math.round(share * (tableBytes.get('segments') ?? 0)),
    },
  };
}
