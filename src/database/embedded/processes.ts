/** What can be known of other processes: whether they live, where they work, whether a number still means the same one. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../errors.js';

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

/**
 * Whether the process is a server of this data folder: PostgreSQL works in it, and is called with it. After a restart
 * of the machine or container the number in a pid file may mean anybody, who must not be signalled.
 */
export function servesFolder(pid: number, data: string): boolean {
  const real = realpathSync(data);
  const at = workingFolder(pid);
  if (at !== undefined) return at === real;
  const words = commandLine(pid);
  return /postgres/.test(words) && (words.includes(data) || words.includes(real));
}

/** Whether nobody at all works in the folder; false where the system does not tell for certain. */
export function isDeserted(data: string): boolean {
  const real = realpathSync(data);
  try {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .every((pid) => {
        const at = workingFolder(Number(pid));
        return at === undefined ? !/^postgres/.test(commandLine(Number(pid))) : at !== real;
      });
  } catch {
    return false;
  }
}

/** Undefined where it may not be known: in a container root itself is not told of other users' processes. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // macOS has no /proc.
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
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
