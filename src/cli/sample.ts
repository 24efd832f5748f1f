/** `fairway sample`: sample data on standard output. */
import type { Context } from './context.js';
import { parseDay } from '../days.js';
import { FairwayError } from '../errors.js';
import { wholeNumber } from './numbers.js';
import { writeSample } from '../sample/write.js';

export interface SampleFlags {
  items: string;
  seed: string;
  format: 'csv' | 'dump';
  from?: string;
  to?: string;
}

export async function runSample(context: Context, flags: SampleFlags): Promise<void> {
  const options = {
    items: wholeNumber('--items', flags.items, 0, 1_000_000_000),
    seed: wholeNumber('--seed', flags.seed, 0, 2 ** 32 - 1),
    ...(flags.from === undefined ? {} : { from: day('--from', flags.from) }),
    ...(flags.to === undefined ? {} : { to: day('--to', flags.to) }),
  };
  if (options.from !== undefined && options.to !== undefined && options.from > options.to) {
    throw new FairwayError('usage', `--from ${options.from} lies after --to ${options.to}`);
  }
  await writeSample(options, flags.format, context.stdout);
}

function day(name: string, text: string): string {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) || parseDay(text) === undefined) {
    throw new FairwayError('usage', `${name}: '${text}' is not a date as YYYY-MM-DD`);
  }
  return text;
}
