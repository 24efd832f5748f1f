// Where and of what a figure was taken: machine, versions, date, commit. Nothing that names the machine or its user.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export function describeMachine() {
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() || 'unknown';
  return {
    cpu: model,
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
  };
}

export function describeCommit() {
  const git = (...words) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? ' with uncommitted changes' : '');
  } catch {
    return 'unknown';
  }
}

export const today = () => new Date().toISOString().slice(0, 10);
