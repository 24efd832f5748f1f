/** `fairway batches` and `fairway withdraw`: a list of batches, one in detail, and one taken out of the answers. */
import { print, printJson, serviceOf, type ServiceFlags } from './ask-service.js';
import { batchesText, batchText, type BatchAnswer } from './batch-texts.js';
import { ask } from './client.js';
import type { Context } from './context.js';
import { batchPath } from './faults.js';
import { wholeNumber } from './numbers.js';

interface BatchPage {
  batches: BatchAnswer[];
  next: string | null;
}

/** What the service gives at once. */
const largestPage = 1_000;

export async function runBatches(
  context: Context,
  id: string | undefined,
  flags: ServiceFlags & { state?: string; limit: string },
): Promise<void> {
  const service = serviceOf(context, flags);
  if (id !== undefined) {
    const batch = (await ask(service, { path: batchPath(id) })) as BatchAnswer;
    return flags.json ? printJson(context, batch) : print(context, batchText(batch));
  }
  const limit = wholeNumber('--limit', flags.limit, 1, 1_000_000);
  const batches: BatchAnswer[] = [];
  let next: string | null = null;
  do {
    const query = new URLSearchParams({
      limit: String(Math.min(limit - batches.length, largestPage)),
      ...(flags.state === undefined ? {} : { state: flags.state }),
      ...(next === null ? {} : { cursor: next }),
    });
    const page = (await ask(service, { path: `/batches?${query.toString()}` })) as BatchPage;
    batches.push(...page.batches);
    next = page.next;
  } while (next !== null && batches.length < limit);
  if (flags.json) return printJson(context, { batches, next });
  await print(context, batchesText(batches));
  if (next !== null) await print(context, `the newest ${batches.length}; there are more, see --limit\n`);
}

export async function runWithdraw(context: Context, id: string, flags: ServiceFlags): Promise<void> {
  const service = serviceOf(context, flags);
  const batch = (await ask(service, { method: 'DELETE', path: batchPath(id) })) as BatchAnswer;
  if (flags.json) return printJson(context, batch);
  await print(context, `batch ${batch.id} is withdrawn since revision ${batch.withdrawn_revision ?? '–'}\n`);
}
