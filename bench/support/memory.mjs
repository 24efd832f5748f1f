// The most memory a process had between two moments, as Linux counts it.
import { readFileSync, writeFileSync } from 'node:fs';

/** Starts counting; the function returned gives the peak in MB since, or undefined where /proc is not. */
export function peakOf(pid) {
  try {
    // 5: the peak is the present size from now on. Source: proc(5), /proc/pid/clear_refs.
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    return () => undefined;
  }
  return () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) / 1024;
  };
}
