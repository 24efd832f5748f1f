/** `fairway rollup` and `fairway verify`: rollups brought up to date or made anew; everything compared with the items. */
import { commandLog, configure, count, withDatabase, type ConfigFlags, type Context } from './context.js';
import { newestRevision } from '../query/head.js';
import { rebuildRollups } from '../query/rebuild.js';
import { rollUp } from '../query/roll-up.js';
import { verify } from '../query/verify.js';
import { FairwayError } from '../errors.js';
import { progressLine } from './progress-line.js';

type Flags = ConfigFlags & { json?: boolean };

export async function runRollup(
  context: Context,
  { json, rebuild, ...flags }: Flags & { rebuild?: boolean },
): Promise<void> {
  const { config } = configure(context, flags);
  const emit = commandLog(config);
  const progress = progressLine(context);
  const result = await withDatabase(context, config, emit, async ({ database }) => {
    if (rebuild) return rebuildRollups(database, emit, progress.lanes);
    const rolledUp = await rollUp(database, emit);
    return { revision: rolledUp?.revision ?? (await newestRevision(database)), mended: 0 };
  }).finally(progress.clear);
  if (json) context.stdout.write(`${JSON.stringify(result)}\n`);
  else if ('rollups' in result)
    context.stdout.write(
      `${count(result.rollups)} rollups stand for revision ${result.revision}; ${count(result.mended)} were not as they should be\n`,
    );
  else context.stdout.write(`rollups stand for revision ${result.revision}\n`);
}

export async function runVerify(context: Context, { json, ...flags }: Flags): Promise<void> {
  const { config } = configure(context, flags);
  const emit = commandLog(config);
  const progress = progressLine(context);
  const found = await withDatabase(context, config, emit, ({ database }) =>
    verify(database, progress.lanes),
  ).finally(progress.clear);
  const { faults, faultTotal, ...counts } = found;
  if (json) context.stdout.write(`${JSON.stringify({ ...counts, fault_total: faultTotal, faults })}\n`);
  else {
    context.stdout.write(
      `revision ${found.revision}: ${count(found.batches)} batches, ${count(found.items)} items in ${count(found.segments)} segments; ${count(found.rollups)} rollups of ${count(found.lanes)} lanes at revision ${found.rolled}\n`,
    );
    for (const fault of faults) context.stdout.write(`${fault}\n`);
    if (faultTotal > faults.length) context.stdout.write(`… and ${count(faultTotal - faults.length)} more\n`);
    if (faultTotal === 0) context.stdout.write('all of it is as it should be\n');
  }
  if (faultTotal > 0)
    throw new FairwayError(
      'not_verified',
      `${count(faultTotal)} ${faultTotal === 1 ? 'thing is' : 'things are'} not as they should be; 'fairway rollup --rebuild' makes rollups anew, a batch that lacks items must be sent again`,
    );
}
