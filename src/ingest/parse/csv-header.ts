/** The header of a CSV batch: in go its fields, out comes which column holds what, and the header's faults. Pure. */
import { foldedOf, nearest } from '../../near.js';
import type { CsvRecord } from './csv-record.js';
import type { FaultLog, Source } from './fault-log.js';
import { shown } from './fault-messages.js';
import { fieldNames } from './fields.js';
import { present, reportText } from './items.js';

const names: readonly string[] = fieldNames;
const folded = names.map((name) => [name, foldedOf(name, name)] as const);

export interface CsvHeader {
  /** The field of each column; -1 where it is none. */
  columns: number[];
  /** Whether each field has a column. */
  complete: boolean;
}

export function readHeader(record: CsvRecord, source: Source, faults: FaultLog): CsvHeader {
  const columns: number[] = [];
  for (const { state, bytes, start, end, position } of record.fields.slice(0, record.count)) {
    const told = { bytes, start, end };
    const name = shown(bytes, start, end);
    let field = state === present ? names.indexOf(name) : -1;
    if (field >= 0 && columns.includes(field)) {
      faults.report('column_doubled', source, position, { ...told, field: name });
      field = -1;
    } else if (field < 0 && state === present) {
      if (!reportText(faults, source, null, { ...told, position }))
        faults.report('column_unknown', source, position, { ...told, detail: hint(name) });
    }
    columns.push(field);
  }
  const missing = names.filter((_, field) => !columns.includes(field));
  for (const field of missing) faults.report('column_missing', source, record.end, { field });
  return { columns, complete: missing.length === 0 };
}

function hint(name: string): string {
  if (/[;\t|]/.test(name)) return ' (columns are separated by commas)';
  const [near] = nearest(name, folded);
  return near ? ` (did you mean ${near}?)` : '';
}
