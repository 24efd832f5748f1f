/** The verdict on what was submitted, printed: in goes the answer of the service, out go text or JSON. */
import { FairwayError } from '../../errors.js';
import { print, printJson } from '../ask-service.js';
import {
  checkText,
  faultLine,
  faultSummary,
  plural,
  publishedText,
  type BatchAnswer,
  type CheckAnswer,
  type FaultAnswer,
  type FaultCounts,
} from '../batch-texts.js';
import { errorOf, type Answer, type Service } from '../client.js';
import type { Context } from '../context.js';
import { faultPages } from '../faults.js';
import type { Source } from './source.js';

interface Rejection {
  batch?: BatchAnswer;
  errors: FaultAnswer[];
  error_counts: FaultCounts;
  error_total: number;
}

interface Submitted {
  source: Source;
  flags: { json?: boolean; dryRun?: boolean; all?: boolean };
  answer: Answer;
  /** Whether an earlier request had its verdict already. */
  repeated: boolean;
}

/** As many as the service tells of a batch that comes in one request. */
export const faultsShown = 100;

/** Resolves where it is published, or would be; throws where it is not, once the faults are printed. */
export async function printVerdict(context: Context, service: Service, submitted: Submitted): Promise<void> {
  const { answer, flags, repeated } = submitted;
  if (answer.status === 422) return printRejection(context, service, submitted);
  if (flags.json) await printJson(context, answer.json);
  else if (flags.dryRun) await print(context, checkText(answer.json as CheckAnswer));
  else {
    const batch = answer.json as BatchAnswer;
    if (batch.state === 'published') await print(context, publishedText(batch, repeated));
    for (const { message } of batch.warnings ?? []) context.stderr.write(`fairway: ${message}\n`);
  }
  if (!flags.dryRun) checkPublished(answer.json as BatchAnswer);
}

/** The key may be that of a batch which has been withdrawn since. */
function checkPublished({ id, state, withdrawn_revision }: BatchAnswer): void {
  if (state === 'published') return;
  throw new FairwayError(
    'batch_state',
    `this key belongs to batch ${id}, which was published and is ${state} since revision ${withdrawn_revision ?? '–'}; take a new key to publish it again`,
  );
}

async function printRejection(
  context: Context,
  service: Service,
  { source, flags, answer }: Submitted,
): Promise<void> {
  const rejection = answer.json as Partial<Rejection> | undefined;
  if (rejection?.error_counts === undefined) throw errorOf(service, answer);
  const { batch, errors = [], error_counts: counts, error_total: total = errors.length } = rejection;
  const kept = batch?.purged_at === null ? batch : undefined;
  const rest = flags.all === true && kept !== undefined && errors.length < total;
  let shown = errors.length;
  if (flags.json) await printJson(context, rest ? await withAll(service, rejection, kept.id) : rejection);
  else {
    const printAll = (faults: readonly FaultAnswer[]): Promise<void> =>
      print(context, faults.map((fault) => faultLine(source.name, source.format, fault)).join(''));
    if (rest) {
      shown = 0;
      for await (const page of faultPages(service, kept.id)) {
        await printAll(page.errors);
        shown += page.errors.length;
      }
    } else await printAll(errors);
    await print(context, faultSummary(counts));
  }
  throw new FairwayError('batch_rejected', rejected(source.name, total, shown, kept?.id));
}

const rejected = (name: string, total: number, shown: number, batch: string | undefined): string => {
  const few = shown === 0 ? ', the list was removed' : shown < total ? `, the first ${shown} are above` : '';
  const all = shown < total && batch !== undefined ? `, 'fairway errors ${batch}' shows more` : '';
  return `${name} has ${plural(total, 'fault')}${few}${all}; nothing of it is published`;
};

async function withAll(
  service: Service,
  rejection: Partial<Rejection>,
  id: string,
): Promise<Partial<Rejection>> {
  const errors: FaultAnswer[] = [];
  for await (const page of faultPages(service, id)) errors.push(...page.errors);
  return { ...rejection, errors };
}
