/** How batches leave: in goes a batch as the service knows it, out comes the answer of the contract, or its problem. Pure. */
import { formatDay } from '../days.js';
import { FairwayError } from '../errors.js';
import type { Batch } from '../ingest/batches/read.js';
import type { Verdict } from '../ingest/pipeline.js';
import type { Fault, UploadResult } from '../ingest/parse/upload.js';
import type { StoredPart } from '../ingest/parted/context.js';
import type { Touched } from '../ingest/upload/touched.js';
import type { Move } from '../query/sources/moves.js';
import { csvField } from './csv.js';
import { writeDigest } from './digest.js';

export const renderBatch = (batch: Batch) => ({
  id: batch.id,
  key: batch.key,
  state: batch.state,
  source: batch.source,
  format: batch.format,
  items: batch.items,
  lanes: batch.lanes,
  bytes: batch.bytes,
  revision: batch.revision,
  withdrawn_revision: batch.withdrawnRevision,
  replaces: batch.replaces,
  replaced_by: batch.replacedBy,
  received_at: batch.receivedAt.toISOString(),
  published_at: batch.publishedAt?.toISOString() ?? null,
  purged_at: batch.purgedAt?.toISOString() ?? null,
  errors: batch.errors,
  error_counts: { ...batch.errorCounts },
  parts: batch.parts,
  expires_at: batch.expiresAt?.toISOString() ?? null,
});

export function renderPublished({ batch, sameContent }: Verdict) {
  const warnings = sameContent.map((id) => ({
    code: 'same_content',
    message: `batch ${id}, published in the last 24 hours, has the same content; if that was the same upload, withdraw one of the two, and send an Idempotency-Key`,
    batch: id,
  }));
  return { ...renderBatch(batch), ...(warnings.length > 0 ? { warnings } : {}) };
}

/** What a batch would do. */
export const renderCheck = (
  read: UploadResult,
  touched: Touched,
  lanesCompared: number,
  moves: readonly Move[],
) => ({
  dry_run: true,
  items: read.items,
  lanes: read.lanes,
  days: touched.days,
  lane_days: touched.laneDays ?? null,
  lanes_compared: lanesCompared,
  moves: moves.map(({ origin, destination, day, before, after }) => ({
    orig_code: origin,
    dest_code: destination,
    day: formatDay(day),
    before,
    after,
  })),
});

/** Faults in the answer itself. */
export const faultsInAnswer = 100;

export interface Faults {
  errors: readonly Omit<Fault, 'code'>[];
  total: number;
  counts: Readonly<Record<string, number>>;
}

const countFaults = (total: number, counts: Faults['counts']): string => {
  const kinds = Object.entries(counts).map(([code, count]) => `${count} ${code}`);
  return `${total} ${total === 1 ? 'fault' : 'faults'} (${kinds.join(', ')})`;
};

/** `part_rejected`. */
export const partRejection = (
  part: number,
  { faults, faultTotal, faultCounts }: UploadResult,
): FairwayError =>
  new FairwayError(
    'part_rejected',
    `part ${part} has ${countFaults(faultTotal, faultCounts)}; nothing of it is stored`,
    {
      details: {
        errors: faults.slice(0, faultsInAnswer),
        error_counts: faultCounts,
        error_total: faultTotal,
      },
    },
  );

export const renderPart = ({ part, items, lanes, bytes, digest, storedAt }: StoredPart) => ({
  part,
  items,
  lanes,
  bytes,
  digest: writeDigest(digest),
  stored_at: storedAt.toISOString(),
});

/** `batch_rejected`; without a batch for what was only checked. */
export function rejection({ errors, total, counts }: Faults, batch?: Batch): FairwayError {
  const purged = batch?.purgedAt
    ? `; the list was removed on ${dayOf(batch.purgedAt)}: send the same content under a new key to have it again`
    : '';
  return new FairwayError(
    'batch_rejected',
    `the batch has ${countFaults(total, counts)}; nothing of it is published${purged}`,
    {
      details: {
        errors,
        error_counts: counts,
        error_total: total,
        ...(batch && purged === '' ? { errors_url: `/batches/${batch.id}/errors` } : {}),
        ...(batch ? { batch: renderBatch(batch) } : {}),
      },
    },
  );
}

const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/** `faults_purged`. */
export const faultsGone = ({ id, errors }: Batch, purgedAt: Date): FairwayError =>
  new FairwayError(
    'faults_purged',
    `batch ${id} was rejected for ${errors} ${errors === 1 ? 'fault' : 'faults'}; the list was removed on ${dayOf(purgedAt)}: send the same content under a new key to have it again`,
  );

const csvHeader = 'line,column,field,code,message,value\r\n';

/** Faults as CSV, page by page. Source of the quoting: RFC 4180. */
export async function* faultsAsCsv(
  pages: AsyncIterable<readonly Omit<Fault, 'code'>[]>,
): AsyncGenerator<string> {
  yield csvHeader;
  for await (const page of pages) {
    yield page.map((fault) => `${csvLine(fault as Fault)}\r\n`).join('');
  }
}

const csvLine = ({ line, column, field, code, message, value }: Fault): string =>
  [String(line), String(column), field ?? '', code, message, value ?? ''].map(csvField).join(',');
