/** What can be known of other processes: whether they live, and whether a number still means the same one. */
import { codeOf } from '../../errors.js';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether the process lives; one that has ended but was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return statFields(pid)?.[0] !== 'Z';
}

/** Changes when a number is used again by another process; empty where the system does not tell. */
export const startTime = (pid: number): string => statFields(pid)?.[19] ?? '';

/** Fields of /proc/PID/stat after the name, which may itself hold spaces and brackets. Source: proc(5). */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself meanwhile, which is what was wanted.
  }
}

/** Waits until the condition holds; false when it did not in time. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  milliseconds: number,
  every = 20,
): Promise<boolean> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await delay(every);
  }
  return true;
}
