/**
 * Roles: in goes a request's method and address, out comes the refusal of a process that has another role. The rule is
 * by method and path alone, so that a proxy can keep the same one (deploy/haproxy.cfg).
 */
import { FairwayError } from '../errors.js';
import type { Role } from '../settings.js';

/** What every process answers, for those who run it. */
const ofEveryProcess = /^\/(health\/|metrics$)/;
const ofBatches = /^\/batches(\/|$)/;
/** Questions, whatever the method: many at once come as a POST. */
const ofRates = /^\/rates(\/|$)/;
const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The role that does this; undefined where each does. */
export function roleFor(method: string, path: string): Exclude<Role, 'all'> | undefined {
  if (ofRates.test(path)) return 'read';
  if (ofBatches.test(path) || !readingMethods.has(method)) return 'ingest';
  return ofEveryProcess.test(path) ? undefined : 'read';
}

const refusals: Record<Exclude<Role, 'all'>, string> = {
  read: 'this process only answers questions; send batches and changes of places to one with the role ingest',
  ingest: 'this process only takes batches and changes of places; ask one with the role read',
};

export function checkRole(role: Role, method: string, address: string): FairwayError | undefined {
  if (role === 'all') return undefined;
  const needed = roleFor(method, address.split('?', 1)[0] ?? '');
  return needed === undefined || needed === role
    ? undefined
    : new FairwayError('wrong_role', refusals[role], { details: { role } });
}
