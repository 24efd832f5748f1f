/** The faults of a batch, page by page, and `fairway errors`, which prints them. */
import { print, printJson, serviceOf, type ServiceFlags } from './ask-service.js';
import {
  faultLine,
  faultSummary,
  plural,
  type BatchAnswer,
  type FaultAnswer,
  type FaultCounts,
} from './batch-texts.js';
import { ask, download, type Service } from './client.js';
import { count, type Context } from './context.js';

interface FaultPage {
  errors: FaultAnswer[];
  error_total: number;
  error_counts: FaultCounts;
  next: string | null;
}

const pageSize = 5_000;

export const batchPath = (id: string): string => `/batches/${encodeURIComponent(id)}`;

export async function* faultPages(service: Service, id: string): AsyncGenerator<FaultPage> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = new URLSearchParams({ limit: String(pageSize), ...(cursor === '' ? {} : { cursor }) });
    const page = (await ask(service, { path: `${batchPath(id)}/errors?${query.toString()}` })) as FaultPage;
    yield page;
    cursor = page.next;
  }
}

export async function runErrors(
  context: Context,
  id: string,
  flags: ServiceFlags & { csv?: boolean },
): Promise<void> {
  const service = serviceOf(context, flags);
  if (flags.csv) {
    const path = `${batchPath(id)}/errors?format=csv`;
    const headers = { accept: 'text/csv' };
    await download(service, { path, headers }, (chunk) => print(context, chunk));
    return;
  }
  if (flags.json) {
    const errors: FaultAnswer[] = [];
    let last: FaultPage | undefined;
    for await (const page of faultPages(service, id)) {
      errors.push(...page.errors);
      last = page;
    }
    await printJson(context, { errors, error_total: last?.error_total, error_counts: last?.error_counts });
    return;
  }
  await printFaults(context, service, id);
}

async function printFaults(context: Context, service: Service, id: string): Promise<void> {
  const {
    state,
    format,
    errors,
    error_counts: counts,
  } = (await ask(service, { path: batchPath(id) })) as BatchAnswer;
  if (errors === 0) return print(context, `batch ${id} is ${state} and has no faults\n`);
  let shown = 0;
  for await (const page of faultPages(service, id)) {
    await print(context, page.errors.map((fault) => faultLine(`batch ${id}`, format, fault)).join(''));
    shown += page.errors.length;
  }
  await print(context, faultSummary(counts));
  if (shown < errors)
    await print(context, `the first ${count(shown)} of ${plural(errors, 'fault')} are kept\n`);
}
