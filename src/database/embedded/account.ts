/** Under which user the server runs: PostgreSQL refuses to run as root, so root drops to somebody who owns nothing else. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FairwayError } from '../../errors.js';

export interface Account {
  uid: number;
  gid: number;
}

const candidates = ['postgres', '_postgres', 'nobody'];

/** The account to drop to, or undefined where this process is not root and runs the server as itself. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of candidates) {
    const found = lines.find((fields) => fields[0] === name);
    // initdb looks its user up by number, so a number without an entry will not do.
    if (found && Number(found[2]) > 0) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new FairwayError(
    'postgres_failed',
    `PostgreSQL cannot run as root, and there is no user ${candidates.join(' or ')} to run it as; start Fairway as an ordinary user, or name a database with DATABASE_URL`,
  );
}

/** Whether the account can enter a folder: asked of the system, for modes do not tell of every kind of right. */
export function canEnter(account: Account | undefined, folder: string): boolean {
  if (!account) return true;
  return (
    spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0
  );
}
