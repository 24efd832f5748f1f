// The words of a bench: options that all take, numbers among them, and what becomes of the result.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCommit, describeMachine, today } from './machine.mjs';
import { writeResult } from './report.mjs';

const shared = {
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
};

export const wrongUse = (text) => Object.assign(new Error(text), { code: 'ERR_PARSE_ARGS' });

/** Values by option; `defaults` names those of the question, a text each, `undefined` for one without. Nothing where help was asked for, and given. */
export function readOptions(words, usage, defaults) {
  const own = Object.entries(defaults).map(([name, value]) => [
    name,
    typeof value === 'boolean' ? { type: 'boolean', default: value } : { type: 'string', default: value },
  ]);
  const { values } = parseArgs({ args: words, options: { ...Object.fromEntries(own), ...shared } });
  if (!values.help) return values;
  process.stdout.write(usage);
  return undefined;
}

/** Throws where it is no number above 0. */
export function numberOf(values, name) {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  throw wrongUse(`--${name} must be a number above 0`);
}

/** How a result was made, and on what; not where files of this machine lie. */
export const describeRun = (question, words) => ({
  question,
  date: today(),
  commit: describeCommit(),
  command: ['npm run bench --', question, ...withoutPaths(words)].join(' '),
  machine: describeMachine(),
});

const path = /^--(data-dir|files|out)(?<given>=.*)?$/;
const withoutPaths = (words) =>
  words.filter((word, index) => {
    const before = path.exec(words[index - 1] ?? '');
    return !path.test(word) && (before === null || before.groups.given !== undefined);
  });

/** On standard output; in a file too where --save or --out says so, as JSON where its name does. */
export function tell(result, render, values, results) {
  const text = render(result);
  const json = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(values.json ? json : text);
  const name = `${result.question}-${result.date}.md`;
  const out = values.out ?? (values.save ? join(results, name) : undefined);
  if (out !== undefined) writeResult(resolve(out), out.endsWith('.json') ? json : text);
}
