/** What the commands that speak with the service about batches share: who it is, and where words go. */
import { once } from 'node:events';
import type { Service } from './client.js';
import { configure, type Context } from './context.js';

export interface ServiceFlags {
  url?: string;
  apiKey?: string;
  json?: boolean;
}

export function serviceOf(context: Context, { url, apiKey }: ServiceFlags): Service {
  const flags = { ...(url === undefined ? {} : { url }), ...(apiKey === undefined ? {} : { apiKey }) };
  const { config } = configure(context, flags);
  return { url: config.url, apiKey: config.apiKey };
}

/** Waits where the reader is slower than we. */
export async function print({ stdout }: Context, text: string | Buffer): Promise<void> {
  if (!stdout.write(text)) await once(stdout, 'drain');
}

export const printJson = (context: Context, value: unknown): Promise<void> =>
  print(context, `${JSON.stringify(value)}\n`);
