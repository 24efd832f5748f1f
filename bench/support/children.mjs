// Processes of a bench: each peer and the client in one of its own, told what to do by message, gone with the bench.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Starts a module, hands it `settings`, waits for its first message, which is returned as `ready`. */
export async function startChild(path, settings) {
  const child = fork(path, [], { env: cleanEnvironment(), serialization: 'advanced' });
  const ended = new Promise((_, reject) =>
    child.once('exit', (code, signal) => reject(new Error(`${path} ended with ${code ?? signal}`))),
  );
  ended.catch(() => undefined);
  const ask = (message) => {
    const answer = new Promise((resolve) => child.once('message', resolve));
    child.send(message);
    return Promise.race([answer, ended]);
  };
  const ready = await ask(settings);
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', () => resolve());
      if (child.connected) child.disconnect();
    });
  return { pid: child.pid, ready, ask, stop };
}

/** What a user's shell has: nothing of ours, PostgreSQL's or npm's. */
export function cleanEnvironment(more = {}) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(FAIRWAY_|PG|DATABASE_URL|npm_|NODE_)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

/** Resident memory of a process in MB, as Linux counts it; undefined elsewhere. */
export function residentMegabytes(pid) {
  try {
    const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** Microseconds a process has computed so far, by clock ticks of 10 ms; undefined where /proc is not. */
export function processorMicroseconds(pid) {
  try {
    // Fields 14 and 15, counted after the name in brackets, which may hold blanks. Source: proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return undefined;
  }
}
