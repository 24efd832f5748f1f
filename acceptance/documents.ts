/** Runs every example of a document, in order, and compares what comes out with what stands there. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { command, environment, interrupt, root, run, start, withFolder } from './support.js';

interface Example {
  /** Line of the document. */
  line: number;
  language: 'sh' | 'ts';
  code: string;
  shown?: { language: 'json' | 'text'; text: string };
}

/** A block of code, and the block of its output where one follows at once. */
function examplesOf(text: string): Example[] {
  const blocks = [...text.matchAll(/^```(sh|ts)\n([^]*?)\n```$(?:\n\n^```(json|text)\n([^]*?)\n```$)?/gm)];
  return blocks.map(({ index, 1: language, 2: code = '', 3: shown, 4: output = '' }) => ({
    line: text.slice(0, index).split('\n').length,
    language: language as Example['language'],
    code,
    ...(shown === undefined ? {} : { shown: { language: shown as 'json' | 'text', text: output } }),
  }));
}

function execute(file: string, words: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, words, { cwd, env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

/** TypeScript is checked as strictly as our own, and then run. */
async function runTypeScript(
  code: string,
  name: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  writeFileSync(join(folder, `${name}.mts`), code);
  const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  const types = ['--typeRoots', join(root, 'node_modules', '@types')];
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  const faults = await execute(compiler, [...options, ...types, `${name}.mts`], folder, env);
  return faults === '' ? execute(process.execPath, [`${name}.mjs`], folder, env) : faults;
}

/** Numbers of batches and revisions, times and keys are what they are. */
const normalised = (output: string): string =>
  output
    .replace(/\r\n/g, '\n')
    .replace(/\b(batch|key|revision"?:?) ?[0-9]+/g, '$1 N')
    .replace(/fairway_[\w-]{43}/g, 'KEY')
    .trimEnd();

const numbered = new Set([
  'id',
  'batch',
  'revision',
  'since',
  'made_at',
  'reason',
  'replaces',
  'replaced_by',
  'errors_url',
]);
const normalisedJson = (json: string): unknown =>
  JSON.parse(json, (name, value: unknown) => (numbered.has(name) && value !== null ? 'N' : value));

/** `…` stands for anything. */
const pattern = (shown: string): RegExp =>
  new RegExp(
    `^${shown
      .split('…')
      .map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
      .join('[^]*')}$`,
  );

/** On a service with the sample data, with a key that may send batches. Resolves with the number of examples. */
export const runExamples = (name: string): Promise<number> =>
  withFolder(async (data) => {
    const running = await start({ FAIRWAY_DATA_DIR: data, FAIRWAY_HOST: '0.0.0.0' });
    const folder = join(dirname(data), 'examples');
    const bin = join(dirname(data), 'bin');
    mkdirSync(folder);
    mkdirSync(bin);
    symlinkSync(command, join(bin, 'fairway'));
    const words = ['keys', 'create', '--name', 'Test', '--scope', 'ingest', 'withdraw'];
    const key = (await run(words, { FAIRWAY_DATA_DIR: data })).stdout.trim();
    const env = environment({
      FAIRWAY_URL: running.url.replace('0.0.0.0', '127.0.0.1'),
      FAIRWAY_API_KEY: key,
      FAIRWAY_DATA_DIR: data,
      PATH: `${bin}:${process.env['PATH']}`,
    });
    const all = examplesOf(readFileSync(join(root, 'docs', name), 'utf8'));
    for (const { line, language, code, shown } of all) {
      const output =
        language === 'sh'
          ? await execute('bash', ['-c', code], folder, env)
          : await runTypeScript(code, `example-${line}`, folder, env);
      const where = `docs/${name}:${line}: ${output}`;
      expect(shown, `${where}: shows no output`).toBeDefined();
      if (shown?.language === 'json')
        expect(normalisedJson(output), where).toMatchObject(normalisedJson(shown.text) as object);
      else expect(normalised(output), where).toMatch(pattern(normalised(shown?.text ?? '')));
    }
    expect(await interrupt(running)).toBe(0);
    return all.length;
  });
