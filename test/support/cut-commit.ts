/** Cutting a connection at its COMMIT. */
import type { PostgresProxy } from './postgres-proxy.js';
import type { Message } from './protocol.js';

/** The next COMMIT of a transaction that said this is cut: before the server gets it, or before its answer is heard. */
export const cutCommit = (proxy: PostgresProxy, moment: 'before' | 'after', text: string, times = 1) =>
  proxy.plan(
    'cut before',
    isCommit(moment === 'before' ? '> Query commit' : '< CommandComplete COMMIT', text),
    times,
  );
export const isCommit =
  (start: string, text: string) =>
  ({ name, exchange }: Message): boolean =>
    name.startsWith(start) && exchange.transaction.some((statement) => statement.includes(text));
