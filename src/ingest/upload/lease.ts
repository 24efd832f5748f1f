/** The lease of an attempt, renewed by a timer apart from the load. In goes an attempt, out comes a signal that says it was lost. */
import { takenOver, type Claim, type UploadContext } from './context.js';
import { renewLease } from './sql.js';

export interface Lease {
  /** Aborts once somebody else has taken over. */
  signal: AbortSignal;
  stop(): void;
}

/** Renewed so often in its time: two renewals may fail before it is over. */
const renewals = 4;

export function keepLease({ database, limits, reach }: UploadContext, { attempt }: Claim): Lease {
  const lost = new AbortController();
  let renewing = false;
  const renew = async (): Promise<void> => {
    renewing = true;
    try {
      await reach?.('renewing the lease');
      const ours = await database.withClient((client) =>
        renewLease(client, attempt, limits.leaseMilliseconds),
      );
      if (!ours) lost.abort(takenOver());
    } catch {
      // The database is away: the next renewal may find it, and the load itself will say so.
    } finally {
      renewing = false;
    }
  };
  const timer = setInterval(() => {
    if (!renewing && !lost.signal.aborted) void renew();
  }, limits.leaseMilliseconds / renewals);
  timer.unref();
  return { signal: lost.signal, stop: () => clearInterval(timer) };
}
